import { ageOf, application, clientBackends, instance, pid, query, type InstanceSection, user } from './instance-section';

/** Who is connected, who waits for whom, and who stays. */
export const sessionSections: readonly InstanceSection[] = [
  {
    name: 'connections',
    title: 'Connections',
    about: 'Sessions by database, user, application and state.',
    columns: [
      instance,
      { key: 'database', title: 'database' },
      user,
      application,
      { key: 'state', title: 'state' },
      { key: 'connections', title: 'connections', format: 'count' },
      { key: 'longestTransactionSeconds', title: 'oldest transaction', format: 'seconds' },
    ],
    sql: () => `
      SELECT datname AS database, usename AS user, application_name AS application, state, count(*)::int AS connections,
             max(${ageOf('xact_start')}) AS "longestTransactionSeconds"
        FROM pg_stat_activity WHERE ${clientBackends} GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC, 1, 2, 3, 4 LIMIT 40`,
  },
  {
    name: 'lock-waits',
    title: 'Lock waits',
    about: 'Who waits for a lock, and who blocks it. Pid 0 is a prepared transaction.',
    columns: [
      instance,
      pid,
      application,
      { key: 'waitSeconds', title: 'waits', format: 'seconds' },
      { key: 'lock', title: 'for' },
      { key: 'blockerPid', title: 'blocked by' },
      { key: 'blockerApplication', title: 'its application' },
      { key: 'blockerState', title: 'its state' },
      { key: 'blockerTransactionSeconds', title: 'its transaction', format: 'seconds' },
      query,
      { key: 'blockerQuery', title: "the blocker's last statement" },
    ],
    // https://www.postgresql.org/docs/17/functions-info.html#FUNCTIONS-INFO-SESSION
    sql: ({ version }) => `
      SELECT waiter.pid, waiter.application_name AS application, ${ageOf(version >= 140_000 ? 'coalesce(lock.waitstart, waiter.query_start)' : 'waiter.query_start')} AS "waitSeconds",
             concat_ws(' on ', lock.mode, coalesce(relation.relname, lock.locktype)) AS lock,
             blocker_pid AS "blockerPid", blocker.application_name AS "blockerApplication", blocker.state AS "blockerState",
             ${ageOf('blocker.xact_start')} AS "blockerTransactionSeconds", left(waiter.query, 2000) AS query, left(blocker.query, 2000) AS "blockerQuery"
        FROM pg_stat_activity waiter
       CROSS JOIN LATERAL unnest(pg_blocking_pids(waiter.pid)) AS blocker_pid
        LEFT JOIN pg_stat_activity blocker ON blocker.pid = blocker_pid
        LEFT JOIN LATERAL (SELECT * FROM pg_locks WHERE pg_locks.pid = waiter.pid AND NOT granted LIMIT 1) AS lock ON true
        LEFT JOIN pg_class relation ON relation.oid = lock.relation
       WHERE waiter.wait_event_type = 'Lock' ORDER BY 3 DESC, 1, 5 LIMIT 100`,
  },
  {
    name: 'long-running',
    title: 'Long-running statements and transactions',
    about: 'Statements and transactions over {longRunningSeconds}, and sessions that do nothing inside a transaction for over {idleInTransactionSeconds}.',
    columns: [
      instance,
      pid,
      user,
      application,
      { key: 'state', title: 'state' },
      { key: 'transactionSeconds', title: 'transaction', format: 'seconds' },
      { key: 'querySeconds', title: 'statement', format: 'seconds' },
      { key: 'idleSeconds', title: 'idle', format: 'seconds' },
      { key: 'waitsFor', title: 'waits for' },
      query,
    ],
    sql: (_server, { longRunningSeconds, idleInTransactionSeconds }) => `
      SELECT * FROM (
        SELECT pid, usename AS user, application_name AS application, state, ${ageOf('xact_start')} AS "transactionSeconds",
               CASE WHEN state = 'active' THEN ${ageOf('query_start')} END AS "querySeconds",
               CASE WHEN state LIKE 'idle in transaction%' THEN ${ageOf('state_change')} END AS "idleSeconds",
               CASE WHEN state = 'active' THEN wait_event_type || ': ' || wait_event END AS "waitsFor", left(query, 2000) AS query
          FROM pg_stat_activity WHERE ${clientBackends}) AS sessions
       WHERE greatest("querySeconds", "transactionSeconds") >= ${longRunningSeconds} OR "idleSeconds" >= ${idleInTransactionSeconds}
       ORDER BY "transactionSeconds" DESC NULLS LAST LIMIT 40`,
  },
];
