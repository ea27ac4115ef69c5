import { diagnose, type DiagnoseOptions } from '../../../lib/diagnosis/diagnose';
import type { Diagnosis, Row, SectionName } from '../../../lib/diagnosis/diagnosis';
import { renderAsMarkdown, renderForTerminal } from '../../../lib/diagnosis/render-diagnosis';
import type { Source } from '../../../lib/diagnosis/source';
import { connectionOf } from '../../../lib/postgres/url-connection';
import { password, PooledDatabases } from '../pooler/pooled-databases';
import { PoolerProcess } from '../pooler/pooler-process';

let databases: PooledDatabases;
let task: PoolerProcess;

beforeAll(async () => {
  databases = await PooledDatabases.start('127.35.5', { replica: true });
  const { primary, replica } = databases;
  await primary.query('GRANT pg_monitor TO bookedbarber_collector', [], 'bookedbarber');
  await primary.query('CREATE EXTENSION pg_stat_statements', [], 'bookedbarber');
  await primary.query(
    `CREATE TABLE payments (id int PRIMARY KEY, appointment_id int, amount int, note text);
     INSERT INTO payments SELECT n, n, n, 'note' FROM generate_series(1, 20000) n;
     CREATE INDEX of_primary ON payments (appointment_id);
     CREATE INDEX of_replica ON payments (amount);
     GRANT ALL ON payments TO bookedbarber_app;`,
    [],
    'bookedbarber',
  );
  await primary.query('VACUUM ANALYZE payments', [], 'bookedbarber');
  await replica!.waitForReplay();
  await primary.query('SELECT FROM payments WHERE appointment_id = 7', [], 'bookedbarber');
  await replica!.query('SELECT FROM payments WHERE amount = 7', [], 'bookedbarber');
  task = await PoolerProcess.start('127.35.5.11', databases.environment());
});
afterAll(async () => {
  await task?.stop();
  await databases?.stop();
});
beforeEach(async () => {
  for (const server of [databases.primary, databases.replica!]) await server.query('SELECT pg_stat_statements_reset()', [], 'bookedbarber');
});

/** As a person reaches it. */
function sourceOf(name: string, address: string, port: number, database: string, user = 'bookedbarber_collector'): Source {
  const url = `postgresql://${user}:${encodeURIComponent(password)}@${address}:${port}/${database}?sslmode=require`;
  return { name, connect: connectionOf(url, { applicationName: 'diagnosis' }).connect };
}
const primary = (database = 'bookedbarber') => sourceOf('primary', databases.primary.address, 5432, database);
const replica = () => sourceOf('replica-1', databases.replica!.address, 5432, 'bookedbarber');
const console = (pooler: PoolerProcess) => sourceOf(pooler.address, pooler.address, 6432, 'pgbouncer');
/** On a machine that stands still for a while everything is slow, and waits: what is looked for is given limits of its own. */
const limits = { clientWaitSeconds: 3600, idleInTransactionSeconds: 3600, longRunningSeconds: 3600, slowQueryMs: 3_600_000, replicaDelaySeconds: 3600, unusedIndexSeconds: 0, sequentialScans: 20 };
const look = (over: Partial<DiagnoseOptions> = {}): Promise<Diagnosis> =>
  diagnose({ subject: 'test', instances: [primary(), replica()], tasks: [console(task)], ...over, limits: { ...limits, ...over.limits } });
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20));
}
const found = ({ findings }: Diagnosis): readonly string[] => findings.map(({ severity, what }) => `${severity}: ${what}`);
const rows = ({ sections }: Diagnosis, name: SectionName): readonly Row[] => sections.find((section) => section.name === name)!.rows;
const number = String.raw`[\d.]+`;
const like = (...patterns: readonly string[]) => patterns.map((pattern) => expect.stringMatching(new RegExp(`^${pattern}$`)) as string);

describe('the report', () => {
  it('finds nothing where there is no trouble, reads every section, and leaves itself out', async () => {
    await look();
    const diagnosis = await look();
    expect(found(diagnosis)).toEqual([]);
    expect(diagnosis.problems).toEqual([]);
    expect(diagnosis.sections.map(({ name }) => name)).toEqual([
      'pools', 'pooler-clients', 'pooler-servers', 'connections', 'lock-waits', 'long-running', 'slow-queries', 'most-time', 'sequential-scans', 'unused-indexes', 'duplicate-indexes',
      'invalid-indexes', 'dead-rows', 'replication', 'pending-restarts', 'instances',
    ]); // prettier-ignore
    expect(rows(diagnosis, 'most-time').filter(({ query }) => !/pg_stat_statements_reset/.test(String(query)))).toEqual([]);
    expect(rows(diagnosis, 'instances')).toMatchObject([{ instance: 'primary', role: 'primary' }, { instance: 'replica-1', role: 'replica', receives: true }]);
  });

  it('calls an index unused only if no instance uses it', async () => {
    expect(rows(await look(), 'unused-indexes')).toEqual([]);
    const onPrimary = await look({ instances: [primary()] });
    expect(rows(onPrimary, 'unused-indexes')).toMatchObject([{ index: 'public.of_replica' }]);
    expect(onPrimary.problems).toEqual([{ source: 'primary', section: 'unused-indexes', problem: '1 standby streams from it, and none of them was asked: an index may be used there' }]);
    expect(found(onPrimary)).toEqual([]);
    const onReplica = await look({ instances: [replica()] });
    expect(found(onReplica)).toEqual([]);
    expect(onReplica.problems).toEqual([{ source: 'replica-1', section: 'unused-indexes', problem: 'it is a replica, and its primary was not asked: an index may be used there' }]);
    await databases.primary.query('CREATE INDEX of_nobody ON payments (note)', [], 'bookedbarber');
    await databases.replica!.waitForReplay();
    const diagnosis = await look();
    expect(found(diagnosis)).toEqual(like(String.raw`notice: no instance has used 1 index of ${number} KiB in all for .+`));
    expect(rows(diagnosis, 'unused-indexes')).toMatchObject([{ index: 'public.of_nobody', table: 'public.payments' }]);
    expect(found(await look({ limits: { unusedIndexSeconds: 86_400 } }))).toEqual([]);
    await databases.primary.query('DROP INDEX of_nobody', [], 'bookedbarber');
    await databases.replica!.waitForReplay();
  });

  it('finds a slow statement, and shows none of its values', async () => {
    await databases.primary.query("SELECT pg_sleep(1.1), 'secret value' AS note, 4711 AS number", [], 'bookedbarber');
    const diagnosis = await look({ limits: { slowQueryMs: 1000 } });
    expect(found(diagnosis)).toEqual(like(String.raw`warning: a statement on primary takes ${number} s on average and ${number} % of all time: SELECT pg_sleep\(\$1\), \$2 AS note, \$3 AS number`));
    expect(rows(diagnosis, 'slow-queries')).toMatchObject([{ instance: 'primary', calls: 1, query: 'SELECT pg_sleep($1), $2 AS note, $3 AS number' }]);
    expect(JSON.stringify(diagnosis)).not.toMatch(/secret value|4711/);
  });

  it('finds a session that is idle in transaction, and who is blocked by it, with no values of either', async () => {
    const [holder, waiter] = [await databases.primary.superuser('bookedbarber'), await databases.primary.superuser('bookedbarber')];
    await holder.query("SET application_name = 'booking'");
    await holder.query('BEGIN');
    await holder.query("UPDATE payments SET note = 'secret value' WHERE id = 4711");
    const waiting = waiter.query("UPDATE payments SET note = 'other value' WHERE id = 4711");
    const isBlocked = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND now() - query_start > interval '0.3 s'";
    await until(async () => (await databases.primary.query(isBlocked)).length > 0);
    const diagnosis = await look({ limits: { idleInTransactionSeconds: 0.3, longRunningSeconds: 0.3 } });
    expect(found(diagnosis)).toEqual(
      like(
        String.raw`warning: pid \d+ \(booking, idle in transaction\) on primary blocks 1 session, the first for ${number} s`,
        String.raw`warning: pid \d+ \(booking\) on primary has been idle in transaction for ${number} s`,
        String.raw`warning: pid \d+ \(\w+\) on primary has been in its transaction for ${number} s`,
      ),
    );
    expect(rows(diagnosis, 'lock-waits')).toMatchObject([{ blockerApplication: 'booking', query: 'UPDATE payments SET note = ? WHERE id = ?', blockerQuery: 'UPDATE payments SET note = ? WHERE id = ?' }]);
    for (const text of [JSON.stringify(diagnosis), renderForTerminal(diagnosis), renderAsMarkdown(diagnosis)]) expect(text).not.toMatch(/secret value|other value|4711/);
    await holder.query('ROLLBACK');
    await waiting;
    await Promise.all([holder.end(), waiter.end()]);
  });

  it('finds a full pool, and who waits for it', async () => {
    const small = await PoolerProcess.start('127.35.5.12', databases.environment({ poolSize: 4, maxTasks: 4, minTasks: 1 }));
    const [first, second] = [await small.connect('bookedbarber_app', password, 'bookedbarber'), await small.connect('bookedbarber_app', password, 'bookedbarber')];
    await first.query('BEGIN');
    const waiting = second.query('SELECT 1');
    const admin = await small.connect('pgbouncer_admin', password, 'pgbouncer');
    const pools = async () => (await admin.query<{ database: string; maxwait: number; maxwait_us: number }>('SHOW POOLS')).rows;
    await until(async () => (await pools()).some(({ database, maxwait, maxwait_us }) => database === 'bookedbarber' && Number(maxwait) * 1e6 + Number(maxwait_us) > 300_000));
    await admin.end();
    const diagnosis = await look({ tasks: [console(small)], limits: { clientWaitSeconds: 0.3 } });
    expect(found(diagnosis)).toEqual(like(String.raw`warning: 1 client waits for a server connection of pool bookedbarber at task 127.35.5.12, the first for ${number} s; 1 of 1 server connections are at work`));
    expect(rows(diagnosis, 'pooler-clients')).toMatchObject([{ database: 'bookedbarber', user: 'bookedbarber_app', clients: 1 }, { clients: 1 }]);
    expect(rows(diagnosis, 'pooler-servers')).toMatchObject([{ database: 'bookedbarber', state: 'active', servers: 1 }]);
    await first.query('COMMIT');
    await waiting;
    await Promise.all([first.end(), second.end()]);
    await small.stop();
  });

  it('finds a table that is read from end to end, needless and INVALID indexes, and dead rows', async () => {
    const { primary: server } = databases;
    await server.query('CREATE INDEX twice ON payments (appointment_id)', [], 'bookedbarber');
    await server.query('CREATE TABLE big AS SELECT n AS id, n % 10 AS kind FROM generate_series(1, 30000) n', [], 'bookedbarber');
    await server.query('ALTER TABLE big SET (autovacuum_enabled = off)', [], 'bookedbarber');
    await expect(server.query('CREATE UNIQUE INDEX CONCURRENTLY broken ON big (kind)', [], 'bookedbarber')).rejects.toThrow('could not create unique index');
    for (let scan = 0; scan < 20; scan++) await server.query('SELECT count(*) FROM big WHERE id = 7', [], 'bookedbarber');
    await server.query('DELETE FROM big WHERE kind < 4', [], 'bookedbarber');
    await databases.replica!.waitForReplay();
    // A session hands its figures in when it ends.
    const areCounted = "SELECT FROM pg_stat_user_tables WHERE relname = 'big' AND n_dead_tup = 12000 AND seq_scan >= 20";
    await until(async () => (await server.query(areCounted, [], 'bookedbarber')).length > 0);
    const diagnosis = await look();
    expect(found(diagnosis)).toEqual(
      like(
        String.raw`warning: public.big has been read from end to end \d+ times on primary, [\d,]+ rows each time`,
        String.raw`warning: public.broken is INVALID: its build failed.*`,
        'notice: no instance has used 1 index of .*',
        'notice: public.twice is needless beside public.of_primary',
        'notice: 40 % of the rows of public.big are dead',
      ),
    );
    await server.query('DROP TABLE big', [], 'bookedbarber');
    await server.query('DROP INDEX twice', [], 'bookedbarber');
    await databases.replica!.waitForReplay();
  });

  it('finds a replica that is behind, and a slot that keeps WAL for nobody', async () => {
    const { primary: server } = databases;
    await databases.replica!.query('SELECT pg_wal_replay_pause()');
    await server.query("SELECT pg_create_physical_replication_slot('forgotten', true)");
    await server.query('UPDATE payments SET amount = amount WHERE id = 1', [], 'bookedbarber');
    const isBehind = "SELECT WHERE pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn() AND now() - pg_last_xact_replay_timestamp() > interval '0.3 s'";
    await until(async () => (await databases.replica!.query(isBehind)).length > 0);
    expect(found(await look({ limits: { replicaDelaySeconds: 0.3 } }))).toEqual(like(String.raw`warning: slot forgotten on primary keeps ${number} \w+ of WAL for nobody`, String.raw`warning: replica-1 is ${number} s behind`));
    await databases.replica!.query('SELECT pg_wal_replay_resume()');
    await server.query("SELECT pg_drop_replication_slot('forgotten')");
    await databases.replica!.waitForReplay();
  });

  it('tells of a frozen pooler and of a replica that is gone, and of everybody else', async () => {
    const frozen = await task.pgbouncerPid();
    process.kill(frozen, 'SIGSTOP');
    try {
      const diagnosis = await look({ instances: [primary(), sourceOf('replica-1', '127.35.5.99', 5432, 'bookedbarber')], patienceMs: 5000 });
      expect(found(diagnosis)).toEqual(like(String.raw`critical: replica-1 cannot be asked: connect ECONNREFUSED 127.35.5.99:5432`, 'critical: 127.35.5.11 cannot be asked: no answer within 5 s'));
      expect(diagnosis.problems.map(({ source, section }) => `${source}: ${section ?? 'all'}`)).toEqual(['replica-1: all', 'replica-1: unused-indexes', '127.35.5.11: all']);
      expect(rows(diagnosis, 'instances')).toMatchObject([{ instance: 'primary' }]);
    } finally {
      process.kill(frozen, 'SIGCONT');
    }
  });

  it('says what a role may not see and what is not installed, and reads the rest', async () => {
    const diagnosis = await look({ instances: [sourceOf('primary', databases.primary.address, 5432, 'postgres', 'bookedbarber_app')], tasks: [] });
    expect(diagnosis.problems).toEqual([
      { source: 'primary', section: 'connections', problem: 'role bookedbarber_app may not see what other roles do: GRANT pg_monitor TO bookedbarber_app' },
      { source: 'primary', section: 'slow-queries', problem: 'pg_stat_statements is not installed in database postgres: add it to shared_preload_libraries, restart, then CREATE EXTENSION pg_stat_statements' },
      { source: 'primary', section: 'unused-indexes', problem: '1 standby streams from it, and none of them was asked: an index may be used there' },
    ]);
    expect(diagnosis.sections.map(({ name }) => name)).not.toContain('slow-queries');
    expect(rows(diagnosis, 'instances')).toMatchObject([{ instance: 'primary' }]);
  });

  it('reads a pg_stat_statements that is older than its server', async () => {
    await databases.primary.query("CREATE EXTENSION pg_stat_statements VERSION '1.7'", [], 'postgres');
    await databases.primary.query('SELECT pg_sleep(1.1)', [], 'postgres');
    const diagnosis = await look({ instances: [primary('postgres')], tasks: [], limits: { slowQueryMs: 1000 } });
    expect(found(diagnosis)).toEqual(like(String.raw`warning: a statement on primary takes ${number} s on average and ${number} % of all time: SELECT pg_sleep\(\$1\)`));
    expect(diagnosis.problems.filter(({ section }) => section !== 'unused-indexes')).toEqual([]);
    await databases.primary.query('DROP EXTENSION pg_stat_statements', [], 'postgres');
  });

  it('says that a server is older than what it knows, and reads the rest', async () => {
    const old: Source = {
      name: 'old',
      connect: async () => {
        const session = await primary().connect();
        const query = session.query.bind(session) as (sql: string) => Promise<unknown>;
        const older = (sql: string): string => sql.replace("current_setting('server_version_num')", "'120022'").replace(/current_setting\('server_version'\)/g, "'12.22'");
        return Object.assign(session, { query: (sql: string) => query(older(sql)) });
      },
    };
    const diagnosis = await look({ instances: [old], tasks: [] });
    expect(diagnosis.problems).toContainEqual({ source: 'old', section: 'instances', problem: 'runs PostgreSQL 12.22; this report is made for 13 and later, so parts of it may be missing' });
    expect(rows(diagnosis, 'instances')).toMatchObject([{ instance: 'old', version: '12.22' }]);
  });

  it('says that a database is reached through a pooler, and reads the rest', async () => {
    const pooled = sourceOf('pooled', task.address, 6432, 'bookedbarber');
    const diagnosis = await look({ instances: [pooled], tasks: [] });
    expect(diagnosis.problems).toContainEqual({ source: 'pooled', section: 'pools', problem: 'it is reached through a pooler: which clients wait there, its admin console tells, database pgbouncer at the same address' });
    expect(rows(diagnosis, 'instances')).toMatchObject([{ instance: 'pooled', role: 'primary' }]);
  });

  it('waits for no lock, and says which section it had to leave out', async () => {
    const holder = await databases.primary.superuser('bookedbarber');
    await holder.query('BEGIN; LOCK TABLE payments, pg_catalog.pg_constraint IN ACCESS EXCLUSIVE MODE');
    const diagnosis = await look({ instances: [primary()] });
    await holder.query('ROLLBACK');
    await holder.end();
    expect(diagnosis.problems).toContainEqual({ source: 'primary', section: 'duplicate-indexes', problem: 'canceling statement due to lock timeout' });
    expect(diagnosis.sections.map(({ name }) => name)).toEqual(expect.arrayContaining(['lock-waits', 'slow-queries', 'invalid-indexes', 'instances']));
  });
});
