import type { Client } from 'pg';

import { delaySql } from '../../diagnosis/sections/instances';
import type { InstanceMetric } from './metric-catalogue';

/** What one instance tells of itself; what it cannot tell is left out. */
export type InstanceReadings = Partial<Record<InstanceMetric, number>>;

const activitySql = (budgetedConnections: number): string => `
  SELECT (100.0 * count(*) / ${budgetedConnections})::float8 AS "ConnectionUse",
         (count(*) FILTER (WHERE state = 'active'))::int AS "ConnectionsActive",
         (count(*) FILTER (WHERE state = 'idle'))::int AS "ConnectionsIdle",
         (count(*) FILTER (WHERE state LIKE 'idle in transaction%'))::int AS "ConnectionsIdleInTransaction",
         (count(*) FILTER (WHERE wait_event_type = 'Lock'))::int AS "SessionsBlocked",
         (count(*) FILTER (WHERE state = 'active' AND wait_event_type NOT IN ('Lock', 'Client')))::int AS "SessionsWaiting",
         coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float8 AS "LongestTransaction",
         coalesce(max(extract(epoch FROM clock_timestamp() - query_start)) FILTER (WHERE state = 'active'), 0)::float8 AS "LongestQuery"
    FROM pg_stat_activity
   WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`;

const databaseSql = `
  SELECT coalesce(100.0 * sum(blks_hit) / nullif(sum(blks_hit + blks_read), 0), 100)::float8 AS "CacheHits",
         (SELECT max(age(datfrozenxid)) FROM pg_database)::int AS "WraparoundAge",
         CASE WHEN pg_is_in_recovery() THEN (${delaySql})::float8 END AS "ReplicationDelay"
    FROM pg_stat_database`;

// Without their texts, which the view would read from a file each minute.
const slowStatementsSql = 'SELECT count(*)::int AS "SlowStatements" FROM pg_stat_statements(false) WHERE mean_exec_time > 100';

/**
 * Reads what `pg_monitor` may see.
 *
 * @param budgetedConnections what it may have at worst, by the connection budget
 * @param onProblem told of a part that could not be read, for example where pg_stat_statements is missing
 * @see https://www.postgresql.org/docs/17/monitoring-stats.html
 */
export async function readInstance(session: Client, budgetedConnections: number, onProblem: (problem: string) => void): Promise<InstanceReadings> {
  const readings: InstanceReadings = { InstanceReached: 1 };
  // Together less than the collector's patience with an instance: a figure that takes long does not hide the others.
  await session.query("SET statement_timeout = '2s'");
  for (const sql of [activitySql(budgetedConnections), databaseSql, slowStatementsSql]) {
    try {
      const { rows } = await session.query<Record<string, number | null>>(sql);
      for (const [name, value] of Object.entries(rows[0]!)) if (value !== null) readings[name as InstanceMetric] = value;
    } catch (error) {
      onProblem((error as Error).message);
    }
  }
  return readings;
}
