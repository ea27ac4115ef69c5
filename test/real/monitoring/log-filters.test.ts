import { PostgresServer } from '../../../lib/rehearsal/engines/postgres-server';
import { logFilters, type LogMetric, matches } from '../../../lib/tier/monitoring/log-filters';
import { password, PooledDatabases } from '../pooler/pooled-databases';
import { PoolerProcess } from '../pooler/pooler-process';

const linesOf = (metric: LogMetric, log: string): readonly string[] => log.split('\n').filter((line) => matches(logFilters.find((filter) => filter.metric === metric)!, line));

describe('log filters', () => {
  it('count the lines that PostgreSQL writes, and no others', async () => {
    const server = await PostgresServer.start({
      address: '127.35.2.1',
      parameters: { fsync: 'off', log_min_duration_statement: '100', deadlock_timeout: '100ms' },
    });
    try {
      const [one, two] = [await server.superuser(), await server.superuser()];
      await one.query('CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1), (2)');
      await one.query('SELECT pg_sleep(0.2)');
      await expect(one.query("SET statement_timeout = '50ms'; SELECT pg_sleep(1)")).rejects.toThrow('statement timeout');
      await one.query('SET statement_timeout = 0');
      await one.query('BEGIN; UPDATE t SET a = a WHERE a = 1');
      await two.query('BEGIN; UPDATE t SET a = a WHERE a = 2');
      const outcomes = await Promise.allSettled([one.query('UPDATE t SET a = a WHERE a = 2'), two.query('UPDATE t SET a = a WHERE a = 1')]);
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      await Promise.all([one.end(), two.end()]);
      const idle = await server.superuser();
      await idle.query("SET idle_in_transaction_session_timeout = '50ms'; BEGIN");
      await new Promise((resolve) => setTimeout(resolve, 300));
      const log = server.logTail(200);
      expect(linesOf('SlowQueries', log).map((line) => /duration: \d+\.\d+ ms/.test(line))).toContain(true);
      expect(linesOf('StatementTimeouts', log)).toHaveLength(1);
      expect(linesOf('Deadlocks', log)).toHaveLength(1);
      expect(linesOf('TransactionTimeouts', log)).toHaveLength(1);
      expect(linesOf('DatabaseLoginsRefused', log)).toEqual([]);
      expect(linesOf('RecoveryConflicts', log)).toEqual([]);
    } finally {
      await server.stop();
    }
  });

  it('count refused logins and clients that got no server connection, in the log of the pooler', async () => {
    const databases = await PooledDatabases.start('127.35.3', { replica: false });
    const pooler = await PoolerProcess.start('127.35.3.11', databases.environment({ poolSize: 4, maxTasks: 4, minTasks: 1, settings: { query_wait_timeout: '1' } }));
    try {
      await expect(pooler.connect('bookedbarber_app', 'wrong', 'bookedbarber')).rejects.toThrow('authentication failed');
      await expect(pooler.connect('nobody', 'wrong', 'bookedbarber')).rejects.toThrow('authentication failed');
      const [holder, waiter] = [await pooler.connect('bookedbarber_app', password, 'bookedbarber'), await pooler.connect('bookedbarber_app', password, 'bookedbarber')];
      await holder.query('BEGIN');
      await expect(waiter.query('SELECT 1')).rejects.toThrow('query_wait_timeout');
      await holder.query('COMMIT');
      await databases.primary.query("ALTER ROLE bookedbarber_app PASSWORD 'another one'");
      await databases.primary.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'bookedbarber_app'");
      await new Promise((resolve) => setTimeout(resolve, 200));
      await expect(holder.query('SELECT 1')).rejects.toThrow();
      await new Promise((resolve) => setTimeout(resolve, 1500));
      const { log } = pooler;
      expect(linesOf('PoolerLoginsRefused', log)).toHaveLength(2);
      expect(linesOf('PoolWaitTimeouts', log).length).toBeGreaterThanOrEqual(1);
      expect(linesOf('ServerLoginsFailed', log).length).toBeGreaterThanOrEqual(1);
      expect(linesOf('DatabaseLoginsRefused', databases.primary.logTail(200)).length).toBeGreaterThanOrEqual(1);
      await holder.end().catch(() => undefined);
    } finally {
      await pooler.stop();
      await databases.stop();
    }
  });

  it('have metrics of their own', () => {
    expect(new Set(logFilters.map(({ metric }) => metric)).size).toBe(logFilters.length);
  });
});
