import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Child, run } from '../../../lib/rehearsal/engines/child';
import { runsAsRoot, unprivilegedUid } from '../../../lib/rehearsal/engines/unprivileged-user';

const started: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((child) => child.stop()));
});

function shell(script: string, options: object = {}): Child {
  const child = new Child({ name: 'shell', command: 'sh', args: ['-c', script], ...options });
  started.push({ stop: () => child.stop('SIGKILL') });
  return child;
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Name of the program, nothing if it has ended; one that has, but has not been waited for, is a zombie. */
function programOf(pid: number): string | undefined {
  try {
    const [, program, state] = /^\d+ \((.*)\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))!;
    return state === 'Z' ? undefined : program;
  } catch {
    return undefined;
  }
}

const isAlive = (pid: number): boolean => programOf(pid) !== undefined;

describe('a child', () => {
  it('keeps the end of what it printed, also a line without an end, and tells how it ended', async () => {
    const child = shell('for n in 1 2 3; do echo line $n; done; printf oops >&2; exit 3');
    expect(await child.exited).toEqual({ code: 3, signal: null });
    expect(child.isRunning).toBe(false);
    expect(child.logTail().split('\n').sort()).toEqual(['line 1', 'line 2', 'line 3', 'oops']);
  });

  it('hands over each line as it comes', async () => {
    const lines: string[] = [];
    await shell('echo one; echo two', { onLine: (line: string) => lines.push(line) }).exited;
    expect(lines).toEqual(['one', 'two']);
  });

  it('says that its command does not exist', async () => {
    const child = new Child({ name: 'ghost', command: '/nowhere/ghost', args: [] });
    expect((await child.exited).code).toBe(127);
    expect(child.logTail()).toContain('/nowhere/ghost: No such file or directory');
  });

  it('is asked to end first', async () => {
    const child = shell('trap "echo bye; exit 0" TERM; echo ready; while :; do sleep 0.02; done');
    await until(() => child.logTail().includes('ready'));
    await child.stop();
    expect(await child.exited).toEqual({ code: 0, signal: null });
    expect(child.logTail(1)).toBe('bye');
  });

  it('is killed when it does not end in time', async () => {
    const child = shell('trap "" TERM; echo ready; while :; do sleep 0.02; done');
    await until(() => child.logTail().includes('ready'));
    await child.stop('SIGTERM', 200);
    expect((await child.exited).signal).toBe('SIGKILL');
  });

  it('takes what it has started with it when it is killed', async () => {
    const child = shell('sleep 60 & echo $!; wait');
    await until(() => child.logTail() !== '');
    const grandchild = Number(child.logTail());
    expect(isAlive(grandchild)).toBe(true);
    await child.stop('SIGKILL');
    await until(() => !isAlive(grandchild));
    expect(isAlive(grandchild)).toBe(false);
  });

  it('runs as the user that it was given, with all the open files that this process may have', async () => {
    const limit = (await run({ command: 'sh', args: ['-c', 'ulimit -Hn'] })).stdout;
    const { stdout } = await run({ command: 'sh', args: ['-c', 'id -u; id -G; ulimit -Hn'], uid: unprivilegedUid });
    // Who is no root stays what he is.
    const user = runsAsRoot
      ? `${unprivilegedUid}\n${unprivilegedUid}\n`
      : (await run({ command: 'sh', args: ['-c', 'id -u; id -G'] })).stdout;
    expect(stdout).toBe(`${user}${limit}`);
  });
});

describe('children of a process that is killed', () => {
  async function startParent(children: readonly string[]): Promise<{ parent: ChildProcess; pids: readonly number[] }> {
    const script = `
      const { Child } = require('./lib/rehearsal/engines/child');
      const start = (options) => new Child({ name: 'orphan', command: 'sleep', args: ['60'], ...options });
      console.log(JSON.stringify([${children.join(', ')}].map((options) => start(options).pid)));
      setInterval(() => undefined, 1000);`;
    const parent = spawn(process.execPath, ['-r', 'ts-node/register/transpile-only', '-e', script], {
      cwd: join(__dirname, '../../..'),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const pids = await new Promise<number[]>((resolve) =>
      parent.stdout.once('data', (text: Buffer) => resolve(JSON.parse(text.toString()) as number[])),
    );
    // They die with their parent once setpriv, which asks for that, has become "sleep".
    await until(() => pids.every((pid) => programOf(pid) === 'sleep'));
    return { parent, pids };
  }

  it('die with it, whoever they run as', async () => {
    const asOther = `uid: ${unprivilegedUid}`;
    const { parent, pids } = await startParent(['{}', `{ ${asOther} }`, `{ ${asOther}, deathSignal: 'SIGQUIT' }`]);
    expect(pids.map(isAlive)).toEqual([true, true, true]);
    parent.kill('SIGKILL');
    await until(() => !pids.some(isAlive));
    expect(pids.map(isAlive)).toEqual([false, false, false]);
  });
});

describe('run', () => {
  it('returns what the program printed', async () => {
    expect(await run({ command: 'sh', args: ['-c', 'echo out; echo err >&2'] })).toEqual({
      stdout: 'out\n',
      stderr: 'err',
    });
  });

  it('names the program, its exit code and its last words when it fails', async () => {
    await expect(run({ command: '/bin/sh', args: ['-c', 'echo "no space left" >&2; exit 4'] })).rejects.toThrow(
      'sh failed (exit code 4): no space left',
    );
  });

  it('names the signal that ended the program', async () => {
    await expect(run({ name: 'victim', command: 'sh', args: ['-c', 'kill -TERM $$'] })).rejects.toThrow(
      'victim failed (SIGTERM)',
    );
  });

  it('kills what takes too long, and says so', async () => {
    // Its time is over once it has spoken.
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
    try {
      const script = 'echo still here >&2; sleep 60 & wait';
      const sleeping = run({ name: 'sleeper', command: 'sh', args: ['-c', script], timeoutMs: 300, onStderrLine: () => void jest.advanceTimersByTime(300) });
      await expect(sleeping).rejects.toThrow('sleeper did not end within 0.3 s and was killed: still here');
    } finally {
      jest.useRealTimers();
    }
  });

  it('ends with its signal, whose reason it passes on', async () => {
    const interrupt = new AbortController();
    const sleeping = run({ command: 'sleep', args: ['60'], signal: interrupt.signal });
    interrupt.abort(new Error('interrupted'));
    await expect(sleeping).rejects.toThrow('interrupted');
    await expect(run({ command: 'sleep', args: ['60'], signal: interrupt.signal })).rejects.toThrow('interrupted');
  });
});
