import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { poolerEnvironment } from '../../../lib/tier/pooler/pooler.contract';
import { scramVerifier } from '../../../lib/tier/roles/scram-verifier';
import { templateEnvironment } from './pooled-databases';
import { PoolerProcess } from './pooler-process';

const address = '127.33.1.1';
const { userlist: userlistVariable, serverTlsCaFile, drainSeconds, binary } = poolerEnvironment;

let environment: Readonly<Record<string, string>>;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'entrypoint-'));
  await chmod(directory, 0o755);
  environment = {
    ...templateEnvironment(),
    [serverTlsCaFile]: join(__dirname, '../../../assets/pgbouncer/rds-ca.pem'),
  };
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('a running entrypoint', () => {
  let pooler: PoolerProcess;
  beforeEach(async () => {
    pooler = await PoolerProcess.start(address, environment);
  });
  afterEach(() => pooler.stop());

  it('keeps its files to itself', async () => {
    for (const file of ['pgbouncer.ini', 'userlist.txt', 'client.key']) {
      expect((await stat(join(pooler.runDirectory, file))).mode & 0o777).toBe(0o600);
    }
  });

  it('hands PgBouncer neither the userlist nor anything else that is secret', async () => {
    const inherited = await readFile(`/proc/${await pooler.pgbouncerPid()}/environ`, 'utf8');
    expect(inherited).toContain('PGBOUNCER_SETTING_POOL_MODE=transaction');
    expect(inherited).not.toMatch(/SCRAM|PGBOUNCER_USERLIST=|PGBOUNCER_CLIENT_TLS/);
  });

  it('writes the ini sorted, each key once', async () => {
    const ini = await readFile(join(pooler.runDirectory, 'pgbouncer.ini'), 'utf8');
    const [databases, settings] = ini.split('\n\n').map((section) =>
      section
        .trim()
        .split('\n')
        .map((line) => line.split(' = ')[0]!),
    );
    expect(databases).toEqual(['[databases]', 'bookedbarber', 'bookedbarber_ro']);
    expect(settings!.slice(1)).toEqual([...new Set(settings!.slice(1))].sort());
    expect(settings).toHaveLength(new Set(settings).size);
  });

  it('writes the ini again on SIGHUP', async () => {
    const ini = join(pooler.runDirectory, 'pgbouncer.ini');
    const before = await readFile(ini, 'utf8');
    await writeFile(ini, 'tampered with');
    pooler.signal('SIGHUP');
    await until(async () => (await readFile(ini, 'utf8')) === before && pooler.log.includes('got SIGHUP'));
    await expect(pooler.checkHealth()).resolves.toBeDefined();
  });

  it('takes PgBouncer with it when it is killed', async () => {
    const pgbouncer = await pooler.pgbouncerPid();
    pooler.signal('SIGKILL');
    await until(() => !isRunning(pgbouncer));
    expect(isRunning(pgbouncer)).toBe(false);
  });

  it('ends when PgBouncer does, with its exit code', async () => {
    process.kill(await pooler.pgbouncerPid(), 'SIGKILL');
    expect(await pooler.exitCode).toBe(137);
    expect(pooler.log).toMatch(/PgBouncer ended with exit code 137$/);
  });
});

describe('a signal that comes while PgBouncer starts', () => {
  /** PgBouncer that takes its time, once its entrypoint has got a signal. */
  async function startWith(signal: 'HUP' | 'TERM' | 'INT'): Promise<PoolerProcess> {
    const slow = join(directory, `slow-${signal}`);
    await writeFile(slow, `#!/bin/sh\ncase $1 in */pgbouncer.ini) kill -${signal} $PPID; sleep 0.3 ;; esac\nexec "\${PGBOUNCER_RUN_DIRECTORY%/run}/pgbouncer" "$@"\n`, { mode: 0o755 });
    return PoolerProcess.launch(address, { ...environment, [binary]: slow, [drainSeconds]: '0' });
  }

  it('HUP, does not end it', async () => {
    const pooler = await startWith('HUP');
    try {
      await until(async () => pooler.checkHealth().then(() => true, () => pooler.log.includes('ended')));
      expect(pooler.log).toMatch(/process up/);
    } finally {
      await pooler.stop();
    }
  });

  it.each(['TERM', 'INT'] as const)('%s, is obeyed as soon as it can be', async (signal) => {
    const pooler = await startWith(signal);
    try {
      expect(await pooler.exitCode).toBe(0);
      expect(pooler.log).toMatch(/finishing: nobody is let in[^]*got SIGINT, shutting down/);
    } finally {
      await pooler.stop();
    }
  });
});

it('accepts a verifier of any number of iterations', async () => {
  const one = scramVerifier({ password: 'x', iterations: 1 });
  const pooler = await PoolerProcess.start(address, { ...environment, [userlistVariable]: `"a" "${one}"` });
  await expect(pooler.checkHealth()).resolves.toBeDefined();
  await pooler.stop();
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}
