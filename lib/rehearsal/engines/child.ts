import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

import { runsAsRoot } from './unprivileged-user';

/** What is run, and as whom. */
interface Program {
  readonly command: string;
  readonly args: readonly string[];
  /** @default - this process's own */
  readonly environment?: NodeJS.ProcessEnv;
  /** @default - this process's own */
  readonly cwd?: string;
  /** Run as this user and group id instead of root; ignored for an ordinary user. @default - as this process */
  readonly uid?: number;
  /** What it gets from the kernel when this process dies. @default 'SIGKILL' */
  readonly deathSignal?: NodeJS.Signals;
}

export interface ChildOptions extends Program {
  /** What it is called in messages. */
  readonly name: string;
  /** Called for every line of its output. @default - nothing */
  readonly onLine?: (line: string) => void;
}

/** How a process ended: by itself with a code, or by a signal; neither if it never started. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

type SpawnedProcess = ChildProcessByStdio<null, Readable, Readable>;

/** How many lines of output are kept for a message. */
const keptLines = 200;

/** A process that dies with this one, even by SIGKILL, and keeps the end of its output. */
export class Child {
  /** Settles once the process has been waited for and nobody holds its output open any more. */
  readonly exited: Promise<ChildExit>;
  private readonly process: SpawnedProcess;
  private readonly lines: string[] = [];
  private running = true;

  constructor(private readonly options: ChildOptions) {
    this.process = spawnDyingWithParent(options);
    for (const stream of [this.process.stdout, this.process.stderr]) collectLines(stream, (line) => this.keep(line));
    this.exited = new Promise((resolve) => {
      const end = (exit: ChildExit): void => {
        this.running = false;
        resolve(exit);
      };
      this.process.once('error', (error) => {
        this.keep(error.message);
        end({ code: null, signal: null });
      });
      this.process.once('close', (code, signal) => end({ code, signal }));
    });
  }

  get pid(): number {
    const { pid } = this.process;
    if (pid === undefined) throw new Error(`${this.options.name} did not start: ${this.logTail(1)}`);
    return pid;
  }

  get isRunning(): boolean {
    return this.running;
  }

  /** The last lines of its output. */
  logTail(lines = 20): string {
    return this.lines.slice(-lines).join('\n');
  }

  /** Why it failed, in its own words: the first line that complains, or else the last. */
  complaint(): string {
    return this.lines.find((line) => /invalid value|unrecognized|could not|FATAL|ERROR/.test(line)) ?? this.lines.at(-1) ?? 'it printed nothing';
  }

  /** Signals the process alone, not what it has started. */
  signal(signal: NodeJS.Signals): void {
    if (this.running) this.process.kill(signal);
  }

  /** Asks it to end; if it has not within the time, kills it and what it has started. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', timeoutMs = 10_000): Promise<void> {
    if (!this.running) return;
    const timer = setTimeout(() => killGroup(this.process), timeoutMs);
    if (signal === 'SIGKILL') killGroup(this.process);
    else this.signal(signal);
    await this.exited;
    clearTimeout(timer);
  }

  private keep(line: string): void {
    this.lines.push(line);
    if (this.lines.length > keptLines) this.lines.shift();
    this.options.onLine?.(line);
  }
}

/** A program ended otherwise than well. */
export class FailedProgram extends Error {
  constructor(
    message: string,
    readonly exit: ChildExit,
    readonly output: Output,
  ) {
    super(message);
    this.name = 'FailedProgram';
  }
}

/** What a program printed. */
export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions extends Program {
  /** What it is called in messages. @default - the file name of the command */
  readonly name?: string;
  /** Ends it early. @default - it runs to its end */
  readonly signal?: AbortSignal;
  /** Kills it after that long. @default - it takes its time */
  readonly timeoutMs?: number;
  /** Called for every line of its errors. @default - nothing */
  readonly onStderrLine?: (line: string) => void;
}

/**
 * Runs a program to its end.
 *
 * @throws FailedProgram with its name, how it ended and its last lines, if it fails; Error if it takes too long or does
 * not start; the signal's reason, if it is aborted
 */
export async function run(options: RunOptions): Promise<Output> {
  const { command, signal, timeoutMs, onStderrLine } = options;
  const name = options.name ?? command.split('/').at(-1)!;
  signal?.throwIfAborted();
  const child = spawnDyingWithParent(options);
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  const stderr: string[] = [];
  collectLines(child.stderr, (line) => {
    stderr.push(line);
    onStderrLine?.(line);
  });
  let late = false;
  const kill = (): void => killGroup(child);
  const killLate = (): void => {
    late = true;
    kill();
  };
  const timer = timeoutMs === undefined ? undefined : setTimeout(killLate, timeoutMs);
  signal?.addEventListener('abort', kill, { once: true });
  try {
    const exit = await new Promise<ChildExit>((resolve, reject) => {
      child.once('error', (error) => reject(new Error(`${name} did not start: ${error.message}`, { cause: error })));
      child.once('close', (code, by) => resolve({ code, signal: by }));
    });
    signal?.throwIfAborted();
    const lastLines = [...stderr, stdout].join('\n').trim().split('\n').slice(-10).join('\n');
    if (late) throw new Error(`${name} did not end within ${timeoutMs! / 1000} s and was killed: ${lastLines}`);
    const output = { stdout, stderr: stderr.join('\n') };
    if (exit.code !== 0) throw new FailedProgram(`${name} failed (${exit.signal ?? `exit code ${exit.code}`}): ${lastLines}`, exit, output);
    return output;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', kill);
  }
}

/**
 * It gets a session of its own, so that Ctrl-C in the terminal reaches this process alone, which then stops everything
 * in order. setpriv asks for the death signal after it has changed the user, since that change would clear the wish.
 * https://man7.org/linux/man-pages/man2/pr_set_pdeathsig.2.html
 */
function spawnDyingWithParent({
  command,
  args,
  environment,
  cwd,
  uid,
  deathSignal = 'SIGKILL',
}: Program): SpawnedProcess {
  // Not through a login shell or runuser: those would reset the limit of open files.
  const asUser = runsAsRoot && uid !== undefined ? [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'] : [];
  return spawn('setpriv', ['--pdeathsig', deathSignal, ...asUser, '--', command, ...args], {
    cwd,
    env: environment,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Kills a process and what it has started: a grandchild that lives on would hold the output open. */
function killGroup({ pid }: SpawnedProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // nobody is left
  }
}

function collectLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(onLine);
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
  });
}
