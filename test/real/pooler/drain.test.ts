import type { Client } from 'pg';

import { poolerEnvironment } from '../../../lib/tier/pooler/pooler.contract';
import { password, PooledDatabases } from './pooled-databases';
import { PoolerProcess } from './pooler-process';

const { drainSeconds, finishSeconds } = poolerEnvironment;

let databases: PooledDatabases;
let pooler: PoolerProcess;
beforeAll(async () => {
  databases = await PooledDatabases.start('127.33.3', { replica: false });
});
afterAll(() => databases?.stop());
afterEach(() => pooler?.stop());

async function start(change: Readonly<Record<string, string>>): Promise<void> {
  pooler = await PoolerProcess.start('127.33.3.3', { ...databases.environment(), ...change });
}

const connect = (): Promise<Client> => pooler.connect('bookedbarber_app', password, 'bookedbarber');
const seconds = (count: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, count * 1000));
const isClosed = (client: Client, withinSeconds = 10): Promise<boolean> =>
  Promise.race([
    new Promise<boolean>((resolve) => client.once('end', () => resolve(true))),
    seconds(withinSeconds).then(() => false),
  ]);

async function written(id: number): Promise<boolean> {
  return (await databases.primary.query('SELECT FROM appointments WHERE id = $1', [id], 'bookedbarber')).length === 1;
}

describe('a pooler that gets SIGTERM', () => {
  it('closes idle clients, goes on letting clients in, lets transactions commit, and ends', async () => {
    await start({ [drainSeconds]: '4' });
    const [idle, busy] = [await connect(), await connect()];
    await busy.query('BEGIN');
    await busy.query('INSERT INTO appointments VALUES (1)');

    pooler.signal('SIGTERM');
    expect(await isClosed(idle)).toBe(true);
    const late = await connect();
    await late.query('INSERT INTO appointments VALUES (2)');
    await seconds(3.5);
    await expect(connect()).rejects.toThrow(); // by now it lets nobody in
    await busy.query('COMMIT');
    expect(await pooler.exitCode).toBe(0);
    expect([await written(1), await written(2)]).toEqual([true, true]);
  });

  it('ends sooner when it gets another', async () => {
    await start({});
    pooler.signal('SIGTERM');
    await seconds(0.3);
    const signalled = Date.now();
    pooler.signal('SIGTERM');
    expect(await pooler.exitCode).toBe(0);
    expect(Date.now() - signalled).toBeLessThan(5000);
  });

  it('cuts a transaction that outlives the drain, says so and ends with 1', async () => {
    await start({ [drainSeconds]: '0', [finishSeconds]: '1' });
    const busy = await connect();
    await busy.query('BEGIN');
    await busy.query('INSERT INTO appointments VALUES (3)');
    pooler.signal('SIGTERM');
    expect(await pooler.exitCode).toBe(1);
    expect(pooler.log).toMatch(
      /transactions still ran after 1 s and were cut; keep the transaction_timeout of every role below that/,
    );
    expect(await written(3)).toBe(false);
  });
});

describe('a pooler that gets SIGINT', () => {
  it('lets nobody in, and ends when the running transaction has', async () => {
    await start({});
    const busy = await connect();
    await busy.query('BEGIN');
    await busy.query('INSERT INTO appointments VALUES (4)');
    pooler.signal('SIGINT');
    await seconds(0.5);
    await expect(connect()).rejects.toThrow();
    await busy.query('COMMIT');
    expect(await pooler.exitCode).toBe(0);
    expect(await written(4)).toBe(true);
  });
});

describe('a pooler that answers nobody', () => {
  it('is killed within 15 s, so that its clients need not wait for ECS', async () => {
    await start({});
    const busy = await connect();
    const frozenAt = Date.now();
    process.kill(await pooler.pgbouncerPid(), 'SIGSTOP');
    expect(await isClosed(busy, 20)).toBe(true);
    expect(Date.now() - frozenAt).toBeLessThan(15_000);
    expect(await pooler.exitCode).toBe(137);
    expect(pooler.log).toContain('PgBouncer has not answered twice and is killed');
  });
});

describe('a pooler that gets SIGHUP', () => {
  it('reloads its settings: what was set by hand is gone', async () => {
    await start({});
    const admin = await pooler.connect('pgbouncer_admin', password, 'pgbouncer');
    const queryWaitTimeout = async (): Promise<unknown> =>
      (await admin.query<{ key: string; value: string }>('SHOW CONFIG')).rows.find(
        ({ key }) => key === 'query_wait_timeout',
      )?.value;
    await admin.query('SET query_wait_timeout = 99');
    expect(await queryWaitTimeout()).toBe('99');
    pooler.signal('SIGHUP');
    while (!pooler.log.includes('got SIGHUP')) await seconds(0.05);
    expect(await queryWaitTimeout()).toBe('15');
    await admin.end();
  });
});
