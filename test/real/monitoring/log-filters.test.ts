import { environments } from '../../../lib/config/environments';
import { PostgresServer } from '../../../lib/rehearsal/engines/postgres-server';
import { logFilters, type LogMetric, matches } from '../../../lib/tier/monitoring/log-filters';
import { logMetricsNamespace } from '../../../lib/tier/monitoring/monitoring.contract';
import { unanswered } from '../../tier/monitoring/metric-match';
import { referencedMetrics, ResolvedTier } from '../../tier/monitoring/referenced-metrics';
import { logGroups, templateFilters } from '../../tier/monitoring/template-filters';
import { password, PooledDatabases } from '../pooler/pooled-databases';
import { PoolerProcess } from '../pooler/pooler-process';

/** What the real servers wrote in these tests, by the log that it goes to. */
const written: Record<'postgresql' | 'pooler', string[]> = { postgresql: [], pooler: [] };

const linesOf = (metric: LogMetric, log: string): readonly string[] => log.split('\n').filter((line) => matches(logFilters.find((filter) => filter.metric === metric)!, line));
const until = async (hasHappened: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await hasHappened())) await new Promise((resolve) => setTimeout(resolve, 20));
};

describe('log filters', () => {
  it('count the lines that PostgreSQL writes, and no others', async () => {
    const server = await PostgresServer.start({
      address: '127.35.2.1',
      // RDS's prefix. https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.Concepts.PostgreSQL.overview.parameter-groups.html
      parameters: { fsync: 'off', log_min_duration_statement: '100', deadlock_timeout: '100ms', log_line_prefix: '%t:%r:%u@%d:[%p]:' },
    });
    try {
      const [one, two] = [await server.superuser(), await server.superuser()];
      await one.query('CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1), (2)');
      await one.query('SELECT pg_sleep(0.2)');
      await expect(one.query("BEGIN; SET LOCAL statement_timeout = '50ms'; SELECT pg_sleep(600)")).rejects.toThrow('statement timeout');
      await one.query('ROLLBACK');
      await one.query('BEGIN; UPDATE t SET a = a WHERE a = 1');
      await two.query('BEGIN; UPDATE t SET a = a WHERE a = 2');
      const outcomes = await Promise.allSettled([one.query('UPDATE t SET a = a WHERE a = 2'), two.query('UPDATE t SET a = a WHERE a = 1')]);
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      await Promise.all([one.end(), two.end()]);
      const idle = await server.superuser();
      await idle.query("SET idle_in_transaction_session_timeout = '50ms'; BEGIN");
      await until(() => linesOf('TransactionTimeouts', server.logTail(200)).length > 0);
      const log = server.logTail(200);
      expect(linesOf('SlowQueries', log).map((line) => /duration: \d+\.\d+ ms/.test(line))).toContain(true);
      expect(linesOf('StatementTimeouts', log)).toHaveLength(1);
      expect(linesOf('Deadlocks', log)).toHaveLength(1);
      expect(linesOf('TransactionTimeouts', log)).toHaveLength(1);
      expect(linesOf('DatabaseLoginsRefused', log)).toEqual([]);
      expect(linesOf('RecoveryConflicts', log)).toEqual([]);
      written.postgresql.push(...log.split('\n'));
    } finally {
      await server.stop();
    }
  });

  it('count refused logins, clients that got no server connection, and reads that replay cancelled', async () => {
    const databases = await PooledDatabases.start('127.35.3', { replica: true });
    const pooler = await PoolerProcess.start('127.35.3.11', databases.environment({ poolSize: 4, maxTasks: 4, minTasks: 1, settings: { query_wait_timeout: '5' } }));
    try {
      await expect(pooler.connect('bookedbarber_app', 'wrong', 'bookedbarber')).rejects.toThrow('authentication failed');
      await expect(pooler.connect('nobody', 'wrong', 'bookedbarber')).rejects.toThrow('authentication failed');
      const [holder, waiter] = [await pooler.connect('bookedbarber_app', password, 'bookedbarber'), await pooler.connect('bookedbarber_app', password, 'bookedbarber')];
      await holder.query('BEGIN');
      await expect(waiter.query('SELECT 1')).rejects.toThrow('query_wait_timeout');
      await holder.query('COMMIT');
      expect(linesOf('ServerLoginsFailed', pooler.log)).toEqual([]);
      await cancelRead(databases);
      await databases.primary.query("ALTER ROLE bookedbarber_app PASSWORD 'another one'");
      await databases.primary.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'bookedbarber_app'");
      await until(async () => holder.query('SELECT 1').then(() => false, () => true)); // prettier-ignore
      await until(() => linesOf('ServerLoginsFailed', pooler.log).length > 0);
      const { log } = pooler;
      const ofServers = [databases.primary, databases.replica!].map((server) => server.logTail(200)).join('\n');
      expect(linesOf('PoolerLoginsRefused', log)).toHaveLength(2);
      expect(linesOf('PoolWaitTimeouts', log).length).toBeGreaterThanOrEqual(1);
      expect(linesOf('DatabaseLoginsRefused', ofServers).length).toBeGreaterThanOrEqual(1);
      expect(linesOf('RecoveryConflicts', ofServers)).toHaveLength(1);
      await holder.end().catch(() => undefined);
      written.pooler.push(...log.split('\n'));
      written.postgresql.push(...ofServers.split('\n'));
    } finally {
      await pooler.stop();
      await databases.stop();
    }
  });

  it.each(Object.keys(environments))('of %s stand on logs that exist, each has counted a line that a real server wrote, and alarms and the dashboard name no other', (environmentName) => {
    const tier = new ResolvedTier(environmentName);
    const groups = logGroups(tier);
    const filters = templateFilters(tier);
    const counting = filters.filter(({ logGroup, terms }) =>
      (['postgresql', 'pooler'] as const).some((log) => groups[log].includes(logGroup) && written[log].some((line) => terms.every((term) => line.includes(term)))),
    );
    expect(filters.filter((filter) => !counting.includes(filter)).map(({ metric, logGroup }) => `${metric.name} on ${logGroup}`)).toEqual([]);
    const emitted = counting.map(({ metric }) => ({ ...metric, dimensions: {}, unit: 'None' }));
    const references = referencedMetrics(tier).filter(({ namespace }) => namespace === logMetricsNamespace(environmentName));
    expect(new Set(references.map(({ name }) => name))).toEqual(new Set(logFilters.map(({ metric }) => metric)));
    expect(unanswered(references, emitted)).toEqual([]);
  });

  it('have metrics of their own', () => {
    expect(new Set(logFilters.map(({ metric }) => metric)).size).toBe(logFilters.length);
  });
});

async function cancelRead({ primary, replica }: PooledDatabases): Promise<void> {
  await replica!.query("ALTER SYSTEM SET max_standby_streaming_delay = '50ms'");
  await replica!.query('SELECT pg_reload_conf()');
  await replica!.waitForReplay();
  const reading = replica!.query('SELECT pg_sleep(600), count(*) FROM appointments', [], 'bookedbarber').catch((error: Error) => error.message);
  await until(async () => (await replica!.query("SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'")).length > 0);
  await primary.query('BEGIN; LOCK TABLE appointments IN ACCESS EXCLUSIVE MODE; COMMIT', [], 'bookedbarber');
  expect(await reading).toContain('conflict with recovery');
}
