import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

import { poolerAuthorityFile } from '../../tier/pooler/pooler.contract';

export interface LambdaFunctionOptions {
  readonly functionName: string;
  /** The bundle, as it lies in the assembly. */
  readonly codeDirectory: string;
  /** `file.export` */
  readonly handler: string;
  /** Of the template, with every intrinsic resolved. */
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
}

/** What every function of a rehearsal shares. */
export interface LambdaSurroundings {
  /** Host names and their addresses, read at each invocation. */
  readonly names: ReadonlyMap<string, string>;
  /** Variables that AWS, not the template, gives to a function. */
  readonly runtimeEnvironment: Readonly<Record<string, string>>;
  /** Takes the place of the files with the authorities of RDS and of the pooler, which sign nothing here. */
  readonly authorityFile: string;
  /** Every line that a function logs; CloudWatch reads metrics from them. @default - only the last are kept, for errors */
  readonly onLog?: (functionName: string, line: string) => void;
}

/** A function that threw, with its own message. */
export class LambdaError extends Error {
  constructor(
    readonly functionName: string,
    message: string,
    /** The last lines that it logged. */
    readonly log: string,
  ) {
    super(message);
    this.name = 'LambdaError';
  }
}

const authorityFiles = ['/var/runtime/ca-cert.pem', `${poolerAuthorityFile.directory}/${poolerAuthorityFile.name}`];
const keptLines = 40;

/**
 * A function of the template, run from its own bundle by this machine's Node.js: each invocation is a cold start in
 * a process of its own.
 */
export class LambdaFunction {
  private invocations = 0;

  constructor(
    private readonly options: LambdaFunctionOptions,
    private readonly surroundings: LambdaSurroundings,
  ) {}

  get hasRun(): boolean {
    return this.invocations > 0;
  }

  /**
   * @throws LambdaError if the function throws, ends without an answer or runs out of its time
   */
  async invoke(event: unknown, signal?: AbortSignal): Promise<unknown> {
    const { functionName, timeoutSeconds, codeDirectory, handler } = this.options;
    this.invocations += 1;
    const invocation = { codeDirectory, handler, functionName, timeoutSeconds, event, requestId: randomUUID(), names: Object.fromEntries(this.surroundings.names) };
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', process.execPath, join(__dirname, 'lambda-host.cjs')], {
      env: this.environment(),
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      signal,
      killSignal: 'SIGKILL',
    });
    const log: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        const lines = text.split('\n').filter((line) => line !== '');
        for (const line of lines) this.surroundings.onLog?.(functionName, line);
        log.push(...lines);
        log.splice(0, log.length - keptLines);
      });
    }
    let answer = '';
    child.stdio[3]!.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, timeoutSeconds * 1000);
    child.stdin.on('error', () => undefined); // it ended before it read
    child.stdin.end(JSON.stringify(invocation));
    try {
      await new Promise<void>((resolve, reject) => {
        child.once('error', reject);
        child.once('close', () => resolve());
      });
    } finally {
      clearTimeout(timer);
    }
    if (timedOut) throw new LambdaError(functionName, `Task timed out after ${timeoutSeconds} seconds`, log.join('\n'));
    if (answer === '') throw new LambdaError(functionName, `ended without an answer: ${log.slice(-3).join('\n')}`, log.join('\n'));
    const { result, error } = JSON.parse(answer) as { result?: unknown; error?: { name: string; message: string } };
    if (error) throw new LambdaError(functionName, error.message, log.join('\n'));
    return result;
  }

  private environment(): NodeJS.ProcessEnv {
    const { environment, functionName } = this.options;
    const swapped = Object.entries(environment).map(([name, value]) => [name, authorityFiles.includes(value) ? this.surroundings.authorityFile : value] as const);
    return { ...Object.fromEntries(swapped), ...this.surroundings.runtimeEnvironment, AWS_LAMBDA_FUNCTION_NAME: functionName, NODE_NO_WARNINGS: '1' };
  }
}
