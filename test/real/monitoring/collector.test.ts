import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Client } from 'pg';

import { environments } from '../../../lib/config/environments';
import { type Source } from '../../../lib/diagnosis/source';
import { AwsEndpoint } from '../../../lib/rehearsal/aws/aws-endpoint';
import type { PostgresServer } from '../../../lib/rehearsal/engines/postgres-server';
import { databaseEnvironment } from '../../../lib/tier/database/database.contract';
import { indexMetrics } from '../../../lib/tier/indexes/index-metrics';
import { indexProperties } from '../../../lib/tier/indexes/index-properties';
import { indexesEnvironment, indexesProperties } from '../../../lib/tier/indexes/indexes.contract';
import { collect } from '../../../lib/tier/monitoring/collector';
import type { MetricSet } from '../../../lib/tier/monitoring/embedded-metrics';
import { instanceMetrics, monthlyMetricCount, poolerMetrics, poolMetrics } from '../../../lib/tier/monitoring/metric-catalogue';
import { logMetricsNamespace, metricsNamespace } from '../../../lib/tier/monitoring/monitoring.contract';
import { emittedByAws, unanswered } from '../../tier/monitoring/metric-match';
import { compositeInputs, referencedMetrics, ResolvedTier } from '../../tier/monitoring/referenced-metrics';
import { password, PooledDatabases } from '../pooler/pooled-databases';
import { PoolerProcess } from '../pooler/pooler-process';
import { bundleScheduled, invoke, metricsIn, type ScheduledFunction, scheduledFunctions, type Surroundings } from './emitted-metrics';

let databases: PooledDatabases;
let tasks: PoolerProcess[];
const events: Readonly<Record<string, unknown>>[] = [];

beforeAll(async () => {
  databases = await PooledDatabases.start('127.35.1', { replica: true });
  await databases.primary.query('GRANT pg_monitor TO bookedbarber_collector', [], 'bookedbarber');
  await databases.primary.query('CREATE EXTENSION pg_stat_statements', [], 'bookedbarber');
  await databases.replica!.waitForReplay();
  tasks = [await PoolerProcess.start('127.35.1.11', databases.environment()), await PoolerProcess.start('127.35.1.12', databases.environment())];
});
afterAll(async () => {
  for (const task of tasks ?? []) await task.stop();
  await databases?.stop();
});
beforeEach(() => events.splice(0));

const asCollector = (server: { superuser(database?: string): Promise<Client> }) => async (): Promise<Client> => {
  const session = await server.superuser('bookedbarber');
  await session.query('SET ROLE bookedbarber_collector');
  return session;
};
const sources = (): { instances: Source[]; consoles: Source[] } => ({
  instances: [
    { name: 'primary', connect: asCollector(databases.primary) },
    { name: 'replica-1', connect: asCollector(databases.replica!) },
  ],
  consoles: tasks.map((task) => ({ name: task.address, connect: () => task.connect('bookedbarber_collector', password, 'pgbouncer') })),
});
const look = (over: Partial<{ instances: Source[]; consoles: Source[]; patienceMs: number }> = {}) => {
  const { instances, consoles, patienceMs } = { ...sources(), patienceMs: 60_000, ...over };
  return collect({ environmentName: 'test', instances, budgetedConnections: budget, tasks: consoles, log: (event) => void events.push(event), patienceMs });
};
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20));
}
/** Waits until sessions are as told. */
const seen = (server: PostgresServer, condition: string): Promise<void> => until(async () => (await server.query(`SELECT FROM pg_stat_activity WHERE ${condition}`)).length > 0);
const valuesOf = (sets: readonly MetricSet[], over: Readonly<Record<string, string>> = {}): Record<string, number> => {
  const wanted = { Environment: 'test', ...over };
  const set = sets.find(({ dimensions }) => JSON.stringify(dimensions) === JSON.stringify(wanted));
  return Object.fromEntries(Object.entries(set?.values ?? {}).map(([name, { value }]) => [name, value]));
};
const budget = { primary: 40, 'replica-1': 20 };
const primary = { Instance: 'primary' };
const pool = { Pool: 'bookedbarber' };

describe('the collector', () => {
  it('emits every metric of the catalogue from real servers, and sees no trouble where there is none', async () => {
    const sets = await look();
    expect(Object.keys(valuesOf(sets)).sort()).toEqual(Object.keys(poolerMetrics).sort());
    expect(Object.keys(valuesOf(sets, pool)).sort()).toEqual(Object.keys(poolMetrics).sort());
    const emitted = new Set([...Object.keys(valuesOf(sets, primary)), ...Object.keys(valuesOf(sets, { Instance: 'replica-1' }))]);
    expect([...emitted].sort()).toEqual(Object.keys(instanceMetrics).sort());
    expect(valuesOf(sets)).toMatchObject({ PoolerTasksReached: 2, PoolerTasksUnreachable: 0 });
    expect(valuesOf(sets, primary)).toMatchObject({ InstanceReached: 1, SessionsBlocked: 0, ConnectionsIdleInTransaction: 0 });
    expect(events).toEqual([]);
    expect(valuesOf(sets, pool)).toMatchObject({ ClientsWaiting: 0, LongestClientWait: 0, PoolUse: 0 });
    expect(valuesOf(sets, { Instance: 'replica-1' })).toMatchObject({ InstanceReached: 1 });
  });

  it('sees a session that is idle in transaction, and one that it blocks', async () => {
    const [holder, blocked] = [await databases.primary.superuser('bookedbarber'), await databases.primary.superuser('bookedbarber')];
    await holder.query('BEGIN; LOCK TABLE appointments');
    const waiting = blocked.query('SELECT * FROM appointments');
    await seen(databases.primary, "wait_event_type = 'Lock' AND now() - query_start > interval '1.1 s'");
    const sets = await look();
    expect(valuesOf(sets, primary)).toMatchObject({ ConnectionsIdleInTransaction: 1, SessionsBlocked: 1 });
    expect(valuesOf(sets, primary).LongestTransaction).toBeGreaterThan(1);
    expect(valuesOf(sets, { Instance: 'replica-1' })).toMatchObject({ ConnectionsIdleInTransaction: 0, SessionsBlocked: 0 });
    await holder.query('COMMIT');
    await waiting;
    await Promise.all([holder.end(), blocked.end()]);
  });

  it('counts sessions by what they do, and their share of the budget', async () => {
    const [idle, sleeper] = [await databases.primary.superuser('bookedbarber'), await databases.primary.superuser('bookedbarber')];
    const before = valuesOf(await look(), primary);
    const sleeping = sleeper.query('SELECT pg_sleep(600)');
    sleeping.catch(() => undefined); // awaited below
    await seen(databases.primary, "wait_event = 'PgSleep'");
    const values = valuesOf(await look(), primary);
    expect(values).toMatchObject({ ConnectionsActive: before.ConnectionsActive! + 1, SessionsWaiting: 1, SessionsBlocked: 0 });
    expect(values.ConnectionsIdle).toBeGreaterThanOrEqual(1);
    expect(values.ConnectionUse).toBeCloseTo((100 * (values.ConnectionsActive! + values.ConnectionsIdle! + values.ConnectionsIdleInTransaction!)) / budget.primary);
    await databases.primary.query("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'");
    await expect(sleeping).rejects.toThrow('canceling statement');
    await Promise.all([idle.end(), sleeper.end()]);
  });

  it('sees a delay of a replica that has replayed all it got, and gets nothing any more', async () => {
    const replica = databases.replica!;
    const isReceiving = async (wanted: boolean): Promise<void> => {
      await until(async () => (await replica.query('SELECT FROM pg_stat_wal_receiver WHERE pid IS NOT NULL')).length > 0 === wanted);
    };
    // The primary writes a little WAL of its own, which may just be on its way.
    const hasNoDelay = (): Promise<void> => until(async () => valuesOf(await look(), { Instance: 'replica-1' }).ReplicationDelay === 0);
    const [{ conninfo } = { conninfo: '' }] = await replica.query<{ conninfo: string }>("SELECT current_setting('primary_conninfo') AS conninfo");
    await hasNoDelay();
    await replica.query("ALTER SYSTEM SET primary_conninfo = ''");
    await replica.query('SELECT pg_reload_conf()');
    await isReceiving(false);
    expect(valuesOf(await look(), { Instance: 'replica-1' }).ReplicationDelay).toBeGreaterThan(0);
    await replica.query(`ALTER SYSTEM SET primary_conninfo = '${conninfo.replaceAll("'", "''")}'`);
    await replica.query('SELECT pg_reload_conf()');
    await isReceiving(true);
    await hasNoDelay();
  });

  it('sees a slow statement on the instance that ran it', async () => {
    const slowStatements = async (): Promise<number> => valuesOf(await look(), { Instance: 'replica-1' }).SlowStatements!;
    const run = (sql: string) => databases.replica!.query(sql, [], 'bookedbarber');
    // A machine that stands still for a while makes others slow too.
    do await run('SELECT pg_stat_statements_reset()');
    while ((await slowStatements()) > 0);
    await run('SELECT pg_sleep(0.2)');
    expect(await slowStatements()).toBeGreaterThanOrEqual(1);
  });

  it('sees a full pool, and who waits for it', async () => {
    const small = await PoolerProcess.start('127.35.1.13', databases.environment({ poolSize: 4, maxTasks: 4, minTasks: 1 }));
    const [first, second] = [await small.connect('bookedbarber_app', password, 'bookedbarber'), await small.connect('bookedbarber_app', password, 'bookedbarber')];
    await first.query('BEGIN');
    const waiting = second.query('SELECT 1');
    const admin = await small.connect('pgbouncer_admin', password, 'pgbouncer');
    const pools = async () => (await admin.query<{ database: string; maxwait: number }>('SHOW POOLS')).rows;
    await until(async () => (await pools()).some(({ database, maxwait }) => database === 'bookedbarber' && Number(maxwait) >= 1));
    await admin.end();
    const sets = await look({ consoles: [{ name: 'small', connect: () => small.connect('bookedbarber_collector', password, 'pgbouncer') }] });
    expect(valuesOf(sets, pool)).toMatchObject({ ClientsWaiting: 1, PoolUse: 100 });
    expect(valuesOf(sets, pool).LongestClientWait).toBeGreaterThan(1);
    expect(valuesOf(sets, { Pool: 'bookedbarber_ro' })).toMatchObject({ ClientsWaiting: 0, PoolUse: 0 });
    await first.query('COMMIT');
    await waiting;
    await Promise.all([first.end(), second.end()]);
    await small.stop();
  });

  it('counts a frozen pooler and still tells of everybody else', async () => {
    const frozen = await tasks[0]!.pgbouncerPid();
    process.kill(frozen, 'SIGSTOP');
    try {
      const sets = await look({ patienceMs: 5000 });
      expect(valuesOf(sets)).toMatchObject({ PoolerTasksReached: 1, PoolerTasksUnreachable: 1 });
      expect(valuesOf(sets, primary)).toMatchObject({ InstanceReached: 1 });
      expect(events).toEqual([{ event: 'not reached', source: '127.35.1.11', problem: 'no answer within 5 s' }]);
      expect(sets[0]!.details).toEqual({ tasks: { '127.35.1.11': 'unreachable', '127.35.1.12': expect.any(Number) } });
    } finally {
      process.kill(frozen, 'SIGCONT');
    }
  });

  it('tells that an instance is gone, and still tells of everybody else', async () => {
    const { instances } = sources();
    const gone: Source = { name: 'replica-1', connect: () => Promise.reject(new Error('connect ECONNREFUSED')) };
    const sets = await look({ instances: [instances[0]!, gone] });
    expect(valuesOf(sets, { Instance: 'replica-1' })).toEqual({ InstanceReached: 0 });
    expect(valuesOf(sets, primary)).toMatchObject({ InstanceReached: 1 });
    expect(valuesOf(sets)).toMatchObject({ PoolerTasksReached: 2 });
  });

  it('leaves out what it cannot read, and says why', async () => {
    const { instances } = sources();
    const sets = await look({ instances: [{ name: 'primary', connect: async () => databases.primary.superuser('postgres') }, instances[1]!] });
    expect(valuesOf(sets, primary).SlowStatements).toBeUndefined();
    expect(valuesOf(sets, primary)).toMatchObject({ InstanceReached: 1, ConnectionUse: expect.any(Number) });
    expect(events).toContainEqual({ event: 'not read', source: 'primary', problem: 'function pg_stat_statements(boolean) does not exist' });
  });
});

describe('every metric that alarms and the dashboard name', () => {
  let surroundings: Surroundings;

  beforeAll(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'scheduled-'));
    await bundleScheduled(directory);
    const names = new Map([['primary.internal', databases.primary.address], ['replica-1.internal', databases.replica!.address]]); // prettier-ignore
    surroundings = { aws: await AwsEndpoint.start('127.35.1.20', 0), names, authorityFile: join(databases.directory, 'ca.pem'), directory };
    for (const { address } of tasks) surroundings.aws.ecs.addTask(address);
  });
  afterAll(async () => {
    await surroundings?.aws.stop();
    await rm(surroundings?.directory, { recursive: true, force: true });
  });

  const collectedTier = (environmentName: string): ResolvedTier =>
    new ResolvedTier(environmentName, ({ Type, Properties }, attribute) =>
      Type === 'AWS::RDS::DBInstance' && attribute === 'Endpoint.Address' ? (Properties!.SourceDBInstanceIdentifier === undefined ? 'primary.internal' : 'replica-1.internal') : undefined,
    );

  /** The index function has something to tell once a deploy has handed it a list. */
  async function acceptIndexes(tick: ScheduledFunction): Promise<void> {
    const { aws } = surroundings;
    for (const identifier of tick.environment[indexesEnvironment.instanceIdentifiers]!.split(',')) aws.rds.set({ identifier, host: '', port: 5432, parameterGroup: 'group', allocatedStorageGiB: 100 });
    const indexes = indexProperties([{ name: 'of_a_table_to_come', table: 'not_yet', definition: '(a)' }]);
    const event = { RequestType: 'Create', RequestId: 'first', ResourceProperties: { ServiceToken: 'arn', [indexesProperties.wait]: 'started', [indexesProperties.tablesAtOnce]: '1', ...indexes } };
    await invoke(tick, surroundings, event, 'index.onEvent');
  }

  it.each(Object.keys(environments))('of %s is printed by a scheduled function of its template against real servers, or emitted by AWS', async (environmentName) => {
    const tier = collectedTier(environmentName);
    const functions = scheduledFunctions(tier);
    const lines: string[] = [];
    for (const scheduled of functions) {
      const username = scheduled.handler === 'index.tick' ? 'bookedbarber_master' : 'bookedbarber_collector';
      surroundings.aws.secrets.create(scheduled.environment[databaseEnvironment.secretArn]!, JSON.stringify({ username, password }));
      if (scheduled.handler === 'index.tick') await acceptIndexes(scheduled);
      lines.push(...(await invoke(scheduled, surroundings)));
    }
    const printed = metricsIn(lines);
    expect(functions.map(({ handler }) => handler).sort()).toEqual(['index.handler', 'index.tick']);
    // What filters count is tied to lines of the servers' logs in log-filters.test.ts.
    const references = referencedMetrics(tier).filter(({ namespace }) => namespace !== logMetricsNamespace(environmentName));
    expect(new Set(references.map(({ namespace }) => namespace))).toEqual(new Set([metricsNamespace, 'AWS/RDS', 'AWS/ECS', 'AWS/NetworkELB']));
    expect(unanswered(references, [...printed, ...emittedByAws(tier)])).toEqual([]);
    expect(new Set(printed.map(({ name, dimensions }) => JSON.stringify([name, dimensions]))).size).toBe(monthlyMetricCount(2, 2, Object.keys(indexMetrics).length));
    expect(compositeInputs(tier).length).toBeGreaterThan(10);
    expect(compositeInputs(tier).filter((id) => !tier.ofType('AWS::CloudWatch::Alarm').some(([alarm]) => alarm === id))).toEqual([]);
    expect(lines.join('\n')).not.toContain(password);
  });

  it('of an instance is printed even if the API that lists the tasks never answers', async () => {
    const [collector] = scheduledFunctions(collectedTier('development')).filter(({ handler }) => handler === 'index.handler');
    const hole = createServer();
    await new Promise<void>((resolve) => hole.listen(0, '127.35.1.21', resolve));
    const runtimeEnvironment = { AWS_ENDPOINT_URL_ECS: `http://127.35.1.21:${(hole.address() as AddressInfo).port}` };
    const lines = await invoke(collector!, { ...surroundings, runtimeEnvironment });
    hole.close();
    expect(lines.join('\n')).toMatch(/"event":"not reached","source":"ECS"/);
    expect(metricsIn(lines).filter(({ name }) => name === 'ConnectionUse').map(({ dimensions }) => dimensions.Instance)).toEqual(['primary', 'replica-1']); // prettier-ignore
    expect(metricsIn(lines).map(({ name }) => name)).toContain('PoolerTasksReached');
  });
});
