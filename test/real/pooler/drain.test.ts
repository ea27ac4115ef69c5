import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
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
const closed = (client: Client): Promise<void> => new Promise((resolve) => client.once('end', () => resolve()));

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
  const directory = await mkdtemp(join(tmpdir(), 'waits-'));
  await chmod(directory, 0o777); // the pooler runs as another user
  const waits = join(directory, 'waits');
  for (const program of ['sleep', 'timeout']) {
    await writeFile(join(directory, program), `#!/bin/sh\necho "$1" >> '${waits}'\nexec /usr/bin/${program} "$@"\n`, { mode: 0o755 });
  }
  const deaf = await PoolerProcess.start('127.33.3.4', { ...databases.environment(), PATH: `${directory}:/usr/sbin:/usr/bin:/sbin:/bin` });
  try {
    const busy = await deaf.connect('bookedbarber_app', password, 'bookedbarber');
    const busyClosed = closed(busy);
    process.kill(await deaf.pgbouncerPid(), 'SIGSTOP');
    const exitCode = await deaf.exitCode;
    await busyClosed;
    return { exitCode, log: deaf.log, waits: (await readFile(waits, 'utf8')).trim().split('\n').map(Number) };
  } finally {
    await deaf.stop();
    await rm(directory, { recursive: true, force: true });
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
    return { exitCode: await deaf.exitCode, log: deaf.log };
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
    await start({ [drainSeconds]: '600' });
    const [idle, busy] = [await connect(), await connect()];
    await busy.query('BEGIN');
    await busy.query('INSERT INTO appointments VALUES (1)');

    const idleClosed = closed(idle);
    pooler.signal('SIGTERM');
    await idleClosed;
    const late = await connect();
    await late.query('INSERT INTO appointments VALUES (2)');
    pooler.signal('SIGTERM'); // a drain of seconds could be over before a slow machine has come here
    await untilLogged('got SIGINT');
    await expect(connect()).rejects.toThrow();
    await busy.query('COMMIT');
    expect(await pooler.exitCode).toBe(0);
    expect([await written(1), await written(2)]).toEqual([true, true]);
  });

  it('ends sooner when it gets another', async () => {
    await start({ [drainSeconds]: '600' });
    pooler.signal('SIGTERM');
    await untilLogged('draining: clients are let in');
    pooler.signal('SIGTERM');
    expect(await pooler.exitCode).toBe(0);
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
    const { exitCode, log, waits } = await frozen;
    expect(exitCode).toBe(137);
    expect(log).toContain('PgBouncer has not answered twice and is killed');
    // What it waits for at most: it is frozen at the beginning of a pause, and two checks are without an answer.
    const [pause, check, pauseAgain, checkAgain] = waits.slice(-4) as [number, number, number, number];
    expect(pause + check + pauseAgain + checkAgain).toBeLessThan(15);
  });

  it('is told dead from frozen, even if it dies while it is asked', async () => {
    const { exitCode, log } = await killedWhileAsked;
    expect(exitCode).toBe(137);
    expect(log).toMatch(/PgBouncer ended with exit code 137$/);
    expect(log).not.toMatch(/Killed/); // bash's own word for it
  });
});
