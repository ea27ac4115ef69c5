import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { Child, run } from '../../../lib/rehearsal/engines/child';
import { debianTools } from '../../../lib/rehearsal/engines/debian-tools';

describe('Child', () => {
  it('keeps the end of what it printed and tells how it ended', async () => {
    const child = new Child({ name: 'printer', command: 'sh', args: ['-c', 'for n in 1 2 3; do echo line $n; done; echo oops >&2; exit 3'] });
    expect(await child.exited).toEqual({ code: 3, signal: null });
    expect(child.logTail(4).split('\n').sort()).toEqual(['line 1', 'line 2', 'line 3', 'oops']);
  });

  it('is killed when it does not end by itself in time', async () => {
    const child = new Child({ name: 'stubborn', command: 'sh', args: ['-c', 'trap "" TERM; echo ready; while :; do sleep 0.05; done'] });
    while (!child.logTail().includes('ready')) await new Promise((resolve) => setTimeout(resolve, 10));
    await child.stop('SIGTERM', 200);
    expect((await child.exited).signal).toBe('SIGKILL');
  });

  it('dies with the process that started it, even when that is killed', async () => {
    const script = `const { Child } = require('./lib/rehearsal/engines/child'); const c = new Child({ name: 's', command: 'sleep', args: ['60'] }); console.log(c.pid); setInterval(() => {}, 1000);`;
    const parent = spawn('node', ['-r', 'ts-node/register/transpile-only', '-e', script], { cwd: join(__dirname, '../../..'), stdio: ['ignore', 'pipe', 'inherit'] });
    const pid = await new Promise<number>((resolve) => parent.stdout.once('data', (data: Buffer) => resolve(Number(data.toString()))));
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    parent.kill('SIGKILL');
    for (let tries = 0; existsSync(`/proc/${pid}`) && tries < 100; tries++) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(existsSync(`/proc/${pid}`)).toBe(false);
  });
});

describe('run', () => {
  it('names the program, its exit code and its last words when it fails', async () => {
    await expect(run({ command: 'sh', args: ['-c', 'echo "no space left" >&2; exit 4'] })).rejects.toThrow('sh failed (exit code 4): no space left');
  });

  it('ends with its signal', async () => {
    const interrupt = new AbortController();
    const sleeping = run({ command: 'sleep', args: ['60'], signal: interrupt.signal });
    interrupt.abort();
    await expect(sleeping).rejects.toThrow(/abort/i);
  });
});

describe('debianTools', () => {
  it("gives PgBouncer in the image's version, and the others by their own loader", async () => {
    const { pgbouncer, pgbench, psql, haproxy } = await debianTools();
    const version = async ({ command, args }: { command: string; args: readonly string[] }, flag = '--version') => (await run({ command, args: [...args, flag] })).stdout;
    expect(await version(pgbouncer)).toMatch(/^PgBouncer 1\.24\.1/);
    expect(await version(pgbench)).toMatch(/^pgbench \(PostgreSQL\) 17\./);
    expect(await version(psql)).toMatch(/^psql \(PostgreSQL\) 17\./);
    expect(await version(haproxy, '-v')).toMatch(/^HAProxy version 3\./);
  });
});
