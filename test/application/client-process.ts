import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** Longer than the kit tries, shorter than the pooler leaves a transaction idle. */
const answerTimeoutMs = 40_000;

/** What a scenario came to. */
export interface Answer {
  readonly result?: unknown;
  readonly error?: string;
  /** What the kit tried again; node-postgres does not tell. */
  readonly retries?: number;
}

export interface ClientProgram {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}

/** A program that plays scenarios on the kit, one after another, each with a client of its own. */
export class ClientProcess {
  private readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  private readonly answers: AsyncIterator<string>;
  private log = '';

  constructor({ command, args, environment }: ClientProgram) {
    this.child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...args], { env: { PATH: process.env.PATH, ...environment }, stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => (this.log = (this.log + text).slice(-4000)));
    this.child.stdin.on('error', () => undefined); // it ended before it read
    this.answers = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** @throws Error with the end of its log if it does not answer */
  async play(scenario: string, settings: object = {}): Promise<Answer> {
    this.child.stdin.write(`${JSON.stringify({ scenario, settings })}\n`);
    const timer = setTimeout(() => this.stop(), answerTimeoutMs);
    const { value, done } = await this.answers.next();
    clearTimeout(timer);
    if (done) throw new Error(`${scenario} has no answer after ${answerTimeoutMs / 1000} s, or its client died; the end of its log:\n${this.log}`);
    return JSON.parse(value) as Answer;
  }

  stop(): void {
    this.child.kill('SIGKILL');
  }
}
