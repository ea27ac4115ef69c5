import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { PostgresServer } from '../../../lib/rehearsal/engines/postgres-server';

let server: PostgresServer;
beforeAll(async () => {
  server = await PostgresServer.start({
    address: '127.31.0.1',
    parameters: {
      shared_preload_libraries: 'pg_stat_statements',
      work_mem: '5MB',
      log_line_prefix: "it's a \\ prefix ",
      'rds.force_ssl': '0',
    },
  });
});
afterAll(() => server?.stop());

const settings = async (...names: string[]): Promise<Record<string, string>> => {
  const rows = await server.query<{ name: string; setting: string }>(
    'SELECT name, setting FROM pg_settings WHERE name = ANY($1)',
    [names],
  );
  return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
};

describe('a server', () => {
  it('runs with the parameters that it was given, whatever is in them', async () => {
    expect(await settings('shared_preload_libraries', 'work_mem', 'log_line_prefix', 'fsync')).toEqual({
      shared_preload_libraries: 'pg_stat_statements',
      work_mem: '5120',
      log_line_prefix: "it's a \\ prefix ",
      fsync: 'on',
    });
  });

  it('leaves out the parameters that exist on RDS only, and tells which', async () => {
    // Any name with a dot is accepted, and then known.
    expect(await server.query("SELECT current_setting('rds.force_ssl', true) AS value")).toEqual([{ value: null }]);
    expect(server.rdsOnlyParameters).toEqual(['rds.force_ssl']);
  });

  it('sorts text by bytes, the same on every machine, and stores UTF-8', async () => {
    expect(
      await server.query(
        "SELECT string_agg(c, '' ORDER BY c) AS sorted, upper('é') AS upper FROM unnest('{a,B,ä}'::text[]) AS c",
      ),
    ).toEqual([{ sorted: 'Baä', upper: 'É' }]);
  });

  it('begins with the data that another one kept, under passwords of its own', async () => {
    await server.query('CREATE TABLE handed_on AS SELECT 7 AS answer');
    const directory = mkdtempSync(join(tmpdir(), 'kept-data-'));
    let next: PostgresServer | undefined;
    try {
      await server.keepData(join(directory, 'data'));
      await server.query('INSERT INTO handed_on VALUES (8)');
      chmodSync(directory, 0o755); // PostgreSQL runs as another user than root
      next = await PostgresServer.start({ address: '127.31.0.9', keptData: join(directory, 'data') });
      expect(await next.query('SELECT answer FROM handed_on')).toEqual([{ answer: 7 }]);
    } finally {
      await next?.stop();
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('keeps its data over a restart', async () => {
    await server.query('CREATE TABLE kept AS SELECT 42 AS answer');
    const before = server.pid;
    await server.restart();
    expect(server.pid).not.toBe(before);
    expect(await server.query('SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('recovers its data after a crash', async () => {
    await server.query('CREATE TABLE recovered AS SELECT 42 AS answer');
    process.kill(server.pid, 'SIGKILL');
    await server.restart();
    expect(await server.query('SELECT answer FROM recovered')).toEqual([{ answer: 42 }]);
  });

  it('counts the CPU of its processes, also of those that have ended', async () => {
    const before = await server.cpuSeconds();
    await server.query('SELECT sum(sqrt(n)) FROM generate_series(1, 3000000) AS n');
    const after = await server.cpuSeconds();
    expect(after - before).toBeGreaterThan(0.1);
    expect(after - before).toBeLessThan(10);
  });

  it('leaves neither processes nor files when it stops', async () => {
    const other = await PostgresServer.start({ address: '127.31.0.3' });
    const { pid, dataDirectory } = other;
    expect(existsSync(dataDirectory)).toBe(true);
    expect(sharedMemoryOf(pid)).toHaveLength(1);
    await other.stop();
    expect(other.isRunning).toBe(false);
    expect(existsSync(`/proc/${pid}`)).toBe(false);
    expect(existsSync(join(dataDirectory, '..'))).toBe(false);
    expect(sharedMemoryOf(pid)).toEqual([]);
  });
});

describe('a server that cannot start', () => {
  it('says why with the end of its log, and leaves nothing behind', async () => {
    const failure = await PostgresServer.start({ address: '127.31.0.4', parameters: { work_mem: 'banana' } }).catch(
      (error: Error) => error,
    );
    expect(failure).toBeInstanceOf(Error);
    const { message } = failure as Error;
    expect(message).toMatch(
      /^PostgreSQL 127\.31\.0\.4 did not start on 127\.31\.0\.4:5432: .*invalid value for parameter "work_mem": "banana"; the end of its log:\n/,
    );
    const [, directory] = /"(\/[^"]+)\/data\/postgresql.conf"/.exec(message)!;
    expect(existsSync(directory!)).toBe(false);
  });

  it('does not take another server at its address for itself', async () => {
    await expect(PostgresServer.start({ address: server.address })).rejects.toThrow(
      /could not bind IPv4 address "127\.31\.0\.1": Address already in use/,
    );
    expect(await server.query('SELECT 1 AS alive')).toEqual([{ alive: 1 }]);
  });
});

describe('a server whose process of Node.js is killed', () => {
  let parent: ChildProcess | undefined;
  afterEach(() => parent?.kill('SIGKILL'));

  it('shuts down, with its sessions and its shared memory', async () => {
    const script = `
      const { PostgresServer } = require('./lib/rehearsal/engines/postgres-server');
      PostgresServer.start({ address: '127.31.0.5' }).then(async (server) => {
        await server.superuser();
        console.log(JSON.stringify({ pid: server.pid, dataDirectory: server.dataDirectory }));
        setInterval(() => undefined, 1000);
      });`;
    parent = spawn(process.execPath, ['-r', 'ts-node/register/transpile-only', '-e', script], {
      cwd: join(__dirname, '../../..'),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const printed = await new Promise<string>((resolve) =>
      parent!.stdout!.once('data', (text: Buffer) => resolve(text.toString())),
    );
    const { pid, dataDirectory } = JSON.parse(printed) as { pid: number; dataDirectory: string };
    try {
      const processes = await processesOf(pid);
      expect(processes.length).toBeGreaterThan(5);
      parent.kill('SIGKILL');
      const alive = (): readonly number[] => processes.filter((each) => existsSync(`/proc/${each}`));
      while (alive().length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
      expect(sharedMemoryOf(pid)).toEqual([]);
    } finally {
      await rm(join(dataDirectory, '..'), { recursive: true, force: true });
    }
  });
});

/** The postmaster and its children. */
async function processesOf(postmaster: number): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  return pids.filter((pid) => pid === postmaster || parentOf(pid) === postmaster);
}

function parentOf(pid: number): number | undefined {
  try {
    return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
  } catch {
    return undefined; // it ended meanwhile
  }
}

/** Segments that the process made. https://man7.org/linux/man-pages/man5/proc_sysvipc.5.html */
function sharedMemoryOf(pid: number): readonly string[] {
  const [header, ...rows] = readFileSync('/proc/sysvipc/shm', 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  const creator = header!.indexOf('cpid');
  return rows.filter((row) => row[creator] === String(pid)).map(([, id]) => id!);
}
