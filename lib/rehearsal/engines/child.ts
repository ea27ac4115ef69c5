import { type ChildProcess, spawn } from 'node:child_process';

import { runsAsRoot } from './unprivileged-user';

export interface ChildOptions {
  /** What it is called in messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** @default - this process's own */
  readonly environment?: NodeJS.ProcessEnv;
  /** @default - this process's own */
  readonly cwd?: string;
  /** Run as this user and group id instead of root; ignored for an ordinary user. @default - as this process */
  readonly uid?: number;
  /** Open files that it needs; raised where the machine allows it. @default - this process's limit */
  readonly openFiles?: number;
  /** Called for every line of its output. @default - nothing */
  readonly onLine?: (line: string) => void;
}

/** How many lines of output are kept for a message. */
const keptLines = 200;

/**
 * A process that dies with this one, even by SIGKILL, and keeps the end of its output.
 *
 * It runs in a session of its own, so that Ctrl-C in the terminal reaches this process alone, which then stops
 * everything in order.
 */
export class Child {
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  private readonly process: ChildProcess;
  private readonly lines: string[] = [];
  private running = true;

  constructor(private readonly options: ChildOptions) {
    const { command, args, environment, cwd } = options;
    const [program, ...wrapperArgs] = dyingWithParent(options);
    this.process = spawn(program!, [...wrapperArgs, command, ...args], { cwd, env: environment, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.process.stdout!, this.process.stderr!]) collectLines(stream, (line) => this.keep(line));
    this.exited = new Promise((resolve) => {
      this.process.once('error', (error) => {
        this.keep(error.message);
        this.running = false;
        resolve({ code: null, signal: null });
      });
      this.process.once('close', (code, signal) => {
        this.running = false;
        resolve({ code, signal });
      });
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

  signal(signal: NodeJS.Signals): void {
    if (this.running) this.process.kill(signal);
  }

  /** Asks it to end, and kills it if it has not within the time. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', timeoutMs = 10_000): Promise<void> {
    this.signal(signal);
    const timer = setTimeout(() => this.signal('SIGKILL'), timeoutMs);
    await this.exited;
    clearTimeout(timer);
  }

  private keep(line: string): void {
    this.lines.push(line);
    if (this.lines.length > keptLines) this.lines.shift();
    this.options.onLine?.(line);
  }
}

/** What a program printed. */
export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions extends Omit<ChildOptions, 'onLine' | 'name'> {
  readonly name?: string;
  /** Ends it early. */
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  readonly onStderrLine?: (line: string) => void;
}

/**
 * Runs a program to its end.
 *
 * @throws Error with its name, exit code and last lines, if it fails, is aborted or takes too long
 */
export async function run(options: RunOptions): Promise<Output> {
  const { command, args, environment, cwd, signal, timeoutMs, onStderrLine } = options;
  const name = options.name ?? command.split('/').at(-1)!;
  signal?.throwIfAborted();
  const [program, ...wrapperArgs] = dyingWithParent(options);
  const child = spawn(program!, [...wrapperArgs, command, ...args], { cwd, env: environment, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  const stderr: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  collectLines(child.stderr, (line) => {
    stderr.push(line);
    onStderrLine?.(line);
  });
  const kill = (): void => void child.kill('SIGKILL');
  const timer = timeoutMs === undefined ? undefined : setTimeout(kill, timeoutMs);
  signal?.addEventListener('abort', kill, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    signal?.throwIfAborted();
    if (code !== 0) throw new Error(`${name} failed (${code === null ? 'killed' : `exit code ${code}`}): ${[...stderr, stdout].join('\n').trim().split('\n').slice(-10).join('\n')}`);
    return { stdout, stderr: stderr.join('\n') };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', kill);
  }
}

/**
 * The command that makes the program after it die with this process. setpriv asks the kernel after it has changed the
 * user, since that change would clear the wish. https://man7.org/linux/man-pages/man2/pr_set_pdeathsig.2.html
 */
function dyingWithParent({ uid, openFiles }: Pick<ChildOptions, 'uid' | 'openFiles'>): readonly string[] {
  const asUser = runsAsRoot && uid !== undefined ? [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'] : [];
  const limit = openFiles === undefined ? [] : ['prlimit', `--nofile=${openFiles}:${openFiles}`, '--'];
  return [...limit, 'setpriv', '--pdeathsig', 'KILL', ...asUser, '--'];
}

function collectLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
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
