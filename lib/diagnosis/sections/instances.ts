import { ageOf, clientBackends, instance, type InstanceSection } from './instance-section';

/** Whether a replica's WAL receiver lives. */
const receivesSql = 'EXISTS (SELECT FROM pg_stat_wal_receiver WHERE pid IS NOT NULL)';
/** How far a replica is behind, seconds. Of what has arrived, all may have been replayed; where nothing arrives, that says nothing. */
export const delaySql = `CASE WHEN ${receivesSql} AND pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0 ELSE ${ageOf('coalesce(pg_last_xact_replay_timestamp(), pg_postmaster_start_time())')} END`;

/** Of an instance as a whole. */
export const serverSections: readonly InstanceSection[] = [
  {
    name: 'replication',
    title: 'Replication',
    about: 'Standbys that stream from an instance, and slots that keep WAL for somebody who is not there.',
    columns: [
      instance,
      { key: 'standby', title: 'standby' },
      { key: 'state', title: 'state' },
      { key: 'behindBytes', title: 'behind', format: 'bytes' },
      { key: 'delaySeconds', title: 'delay', format: 'seconds' },
    ],
    sql: ({ standby }) => {
      const position = standby ? 'pg_last_wal_receive_lsn()' : 'pg_current_wal_lsn()';
      return `
      SELECT concat_ws(' ', nullif(application_name, ''), host(client_addr)) AS standby, concat_ws(', ', state, sync_state) AS state,
             pg_wal_lsn_diff(${position}, replay_lsn)::float8 AS "behindBytes", extract(epoch FROM replay_lag)::float8 AS "delaySeconds", false AS "absent"
        FROM pg_stat_replication
       UNION ALL
      SELECT 'slot ' || slot_name, 'nobody reads it', pg_wal_lsn_diff(${position}, restart_lsn)::float8, NULL, true
        FROM pg_replication_slots WHERE NOT active AND restart_lsn IS NOT NULL
       ORDER BY 1`;
    },
  },
  {
    name: 'pending-restarts',
    title: 'Parameters that wait for a restart',
    about: 'They are set, and do nothing until the instance restarts.',
    columns: [instance, { key: 'parameter', title: 'parameter' }, { key: 'note', title: '' }, { key: 'command', title: 'command' }],
    sql: () => `SELECT name AS parameter, 'runs with ' || setting || coalesce(' ' || unit, '') AS note FROM pg_settings WHERE pending_restart ORDER BY 1`,
  },
  {
    name: 'instances',
    title: 'Instances',
    about: 'Since the statistics of the database were reset.',
    columns: [
      instance,
      { key: 'role', title: 'role' },
      { key: 'version', title: 'version' },
      { key: 'upSeconds', title: 'up', format: 'seconds' },
      { key: 'connections', title: 'connections', format: 'count' },
      { key: 'maxConnections', title: 'max', format: 'count' },
      { key: 'cacheHitPercent', title: 'cache hits', format: 'percent' },
      { key: 'delaySeconds', title: 'behind', format: 'seconds' },
      { key: 'deadlocks', title: 'deadlocks', format: 'count' },
      { key: 'temporaryBytes', title: 'temporary files', format: 'bytes' },
      { key: 'transactionIdAge', title: 'transaction id age', format: 'count' },
    ],
    sql: ({ standby }) => `
      SELECT '${standby ? 'replica' : 'primary'}' AS role, split_part(current_setting('server_version'), ' ', 1) AS version, ${ageOf('pg_postmaster_start_time()')} AS "upSeconds",
             (SELECT count(*)::int FROM pg_stat_activity WHERE ${clientBackends}) AS connections, current_setting('max_connections')::int AS "maxConnections",
             100.0::float8 * blks_hit / nullif(blks_hit + blks_read, 0) AS "cacheHitPercent", (blks_hit + blks_read)::float8 AS "blocks",
             ${standby ? delaySql : 'NULL'} AS "delaySeconds", ${standby ? receivesSql : 'NULL'} AS "receives", ${standby ? 'pg_is_wal_replay_paused()' : 'NULL'} AS "paused",
             deadlocks::int, temp_bytes::float8 AS "temporaryBytes", (SELECT max(age(datfrozenxid)) FROM pg_database) AS "transactionIdAge"
        FROM pg_stat_database WHERE datname = current_database()`,
  },
];
