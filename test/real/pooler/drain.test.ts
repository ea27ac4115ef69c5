import { existsSync } from 'node:fs';
import { readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';

import type { Client } from 'pg';

import { poolerEnvironment } from '../../../lib/tier/pooler/pooler.contract';
import { password, PooledDatabases } from './pooled-databases';
import { PoolerProcess } from './pooler-process';

const { drainSeconds, finishSeconds } = poolerEnvironment;

let databases: PooledDatabases;
let pooler: PoolerProcess;
/** What poolers come to that answer nobody, beside the others: they take the longest. */
let frozen: ReturnType<typeof freeze>;
let killedWhileAsked: ReturnType<typeof killWhileAsked>;
beforeAll(async () => {
  databases = await PooledDatabases.start('127.33.3', { replica: false });
  frozen = freeze();
  killedWhileAsked = killWhileAsked();
  for (const fate of [frozen, killedWhileAsked]) fate.catch(() => undefined); // awaited below
});
afterAll(async () => {
  await Promise.allSettled([frozen, killedWhileAsked]);
  await databases?.stop();
});
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

/** Waits until the pooler has said something. */
async function untilLogged(text: string): Promise<void> {
  while (!pooler.log.includes(text)) await seconds(0.05);
}

/** Waits until a file is in the run directory. */
async function untilMade(name: string): Promise<string> {
  const file = join(pooler.runDirectory, name);
  while (!existsSync(file)) await seconds(0.002);
  return file;
}

async function freeze() {
  const deaf = await PoolerProcess.start('127.33.3.4', databases.environment());
  try {
    const busy = await deaf.connect('bookedbarber_app', password, 'bookedbarber');
    const frozenAt = Date.now();
    process.kill(await deaf.pgbouncerPid(), 'SIGSTOP');
    const closed = await isClosed(busy, 20);
    return { closed, afterMs: Date.now() - frozenAt, exitCode: await deaf.exitCode, log: deaf.log };
  } finally {
    await deaf.stop();
  }
}

/** PgBouncer dies while its entrypoint waits for the answer to a health check. */
async function killWhileAsked() {
  const deaf = await PoolerProcess.start('127.33.3.5', databases.environment());
  try {
    const pgbouncer = await deaf.pgbouncerPid();
    process.kill(pgbouncer, 'SIGSTOP');
    while (!(await isAsked(deaf.pid))) await seconds(0.05);
    process.kill(pgbouncer, 'SIGKILL');
    return { exitCode: await Promise.race([deaf.exitCode, seconds(10).then(() => 'still running')]), log: deaf.log };
  } finally {
    await deaf.stop();
  }
}

async function isAsked(entrypoint: number): Promise<boolean> {
  const children = (await readFile(`/proc/${entrypoint}/task/${entrypoint}/children`, 'utf8')).trim().split(' ');
  const commands = await Promise.all(children.map((child) => readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '')));
  return commands.some((command) => command.includes('health-check'));
}

async function written(id: number): Promise<boolean> {
  return (await databases.primary.query('SELECT FROM appointments WHERE id = $1', [id], 'bookedbarber')).length === 1;
}

describe('a pooler that gets SIGTERM', () => {
  it('closes idle clients, goes on letting clients in, lets transactions commit, and ends', async () => {
    await start({ [drainSeconds]: '3' });
    const [idle, busy] = [await connect(), await connect()];
    await busy.query('BEGIN');
    await busy.query('INSERT INTO appointments VALUES (1)');

    pooler.signal('SIGTERM');
    expect(await isClosed(idle)).toBe(true);
    const late = await connect();
    await late.query('INSERT INTO appointments VALUES (2)');
    await untilLogged('got SIGINT');
    await expect(connect()).rejects.toThrow();
    await busy.query('COMMIT');
    expect(await pooler.exitCode).toBe(0);
    expect([await written(1), await written(2)]).toEqual([true, true]);
  });

  it('ends sooner when it gets another', async () => {
    await start({});
    pooler.signal('SIGTERM');
    await untilLogged('draining: clients are let in');
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

describe('a pooler that is told to end although something is wrong', () => {
  it('lets transactions commit when its disk is full', async () => {
    await start({ [drainSeconds]: '1' });
    const busy = await connect();
    await busy.query('BEGIN');
    await busy.query('INSERT INTO appointments VALUES (5)');
    for (const file of ['userlist.txt', 'pgbouncer.ini']) await symlink('/dev/full', join(pooler.runDirectory, `${file}.new`));

    pooler.signal('SIGHUP');
    await untilLogged('userlist.txt cannot be written: No space left on device\nentrypoint: not reloaded');
    await (await connect()).end();
    pooler.signal('SIGTERM');
    await untilLogged('got SIGINT');
    await busy.query('COMMIT');
    expect(await pooler.exitCode).toBe(0);
    expect(await written(5)).toBe(true);
  });

  it('ends in time when it is frozen', async () => {
    await start({ [drainSeconds]: '0', [finishSeconds]: '1' });
    await untilMade('answered');
    process.kill(await pooler.pgbouncerPid(), 'SIGSTOP');
    pooler.signal('SIGTERM');
    expect(await pooler.exitCode).toBe(1);
  });

  it('ends in time when it is frozen before it answers', async () => {
    pooler = await PoolerProcess.launch('127.33.3.3', { ...databases.environment(), [drainSeconds]: '0', [finishSeconds]: '1' });
    process.kill(Number(await readFile(await untilMade('pgbouncer.pid'), 'utf8')), 'SIGSTOP');
    pooler.signal('SIGTERM');
    expect(await pooler.exitCode).toBe(1);
  });
});

describe('a pooler that gets SIGINT', () => {
  it('lets nobody in, and ends when the running transaction has', async () => {
    await start({});
    const busy = await connect();
    await busy.query('BEGIN');
    await busy.query('INSERT INTO appointments VALUES (4)');
    pooler.signal('SIGINT');
    await untilLogged('got SIGINT');
    await expect(connect()).rejects.toThrow();
    await busy.query('COMMIT');
    expect(await pooler.exitCode).toBe(0);
    expect(await written(4)).toBe(true);
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
    await untilLogged('got SIGHUP');
    expect(await queryWaitTimeout()).toBe('15');
    await admin.end();
  });
});

describe('a pooler that answers nobody', () => {
  it('is killed within 15 s, so that its clients need not wait for ECS', async () => {
    const { closed, afterMs, exitCode, log } = await frozen;
    expect({ closed, exitCode }).toEqual({ closed: true, exitCode: 137 });
    expect(afterMs).toBeLessThan(15_000);
    expect(log).toContain('PgBouncer has not answered twice and is killed');
  });

  it('is told dead from frozen, even if it dies while it is asked', async () => {
    const { exitCode, log } = await killedWhileAsked;
    expect(exitCode).toBe(137);
    expect(log).toMatch(/PgBouncer ended with exit code 137$/);
  });
});
