import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FailedProgram, type Output, run } from '../engines/child';
import { debianTools } from '../engines/debian-tools';
import { libpqTls } from './client-config';
import { sampleScript, type SampleScript } from './sample';

/** Where a load goes, and as whom. */
export interface LoadTarget {
  /** Several are taken in turn at random: one for each application host. */
  readonly addresses: readonly string[];
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  /** @default true */
  readonly tls?: boolean;
  /** What the server's certificate is verified by. @default - nobody could, and it is taken as it is */
  readonly verification?: { readonly hostName: string; readonly authorityFile: string };
  /** Configuration of the clients' OpenSSL. @default - the machine's own */
  readonly opensslSettingsFile?: string;
}

export interface LoadOptions {
  /** A script of the sample, or statements of which each transaction runs one at random. */
  readonly script: SampleScript | readonly string[];
  readonly clients: number;
  /** @default 2 */
  readonly threads?: number;
  /** How long, or how many transactions of each client. */
  readonly length: { readonly seconds: number } | { readonly transactionsPerClient: number };
  /** Transactions a second over all clients. @default - as many as the server answers */
  readonly rate?: number;
  readonly protocol: 'simple' | 'extended' | 'prepared';
  /** Variables of the script, without `rows`. @default - none */
  readonly variables?: Readonly<Record<string, number>>;
  /** Log in anew for every transaction; the throughput then includes that. @default false */
  readonly reconnect?: boolean;
  /**
   * Keep the latency of every transaction, but the first of each client: then all of them begin at once and prepare their
   * statement. @default - none is kept
   */
  readonly latencies?: { readonly afterTransactions: number };
  readonly signal?: AbortSignal;
  readonly onProgress?: (line: string) => void;
}

export interface LoadResult {
  readonly transactions: number;
  readonly failed: number;
  /** Without the time that logins took, unless each transaction has its own. */
  readonly transactionsPerSecond: number;
  /** The server's words to the first client that it refused or cut off. @default - no client was */
  readonly aborted?: string;
  /** Of every transaction, if asked for; in no order. */
  readonly latenciesMs: readonly number[];
  /** The same, apart for each of the statements. */
  readonly latenciesMsByScript: readonly (readonly number[])[];
}

/** What of a load pgbench says in its summary. */
type Summary = Pick<LoadResult, 'transactions' | 'failed' | 'transactionsPerSecond'>;

/**
 * Runs pgbench against the booking sample.
 *
 * @param rows appointments of the sample
 * @throws Error with what pgbench said last, if it fails otherwise than by clients that were refused or cut off
 * @see https://www.postgresql.org/docs/17/pgbench.html
 */
export async function runLoad(target: LoadTarget, rows: number, options: LoadOptions): Promise<LoadResult> {
  const { pgbench } = await debianTools();
  const { length, clients, threads = 2, rate, protocol, variables = {}, reconnect = false, latencies, signal, onProgress } = options;
  const directory = await mkdtemp(join(tmpdir(), 'pgbench-'));
  try {
    const args = [
      ...pgbench.args,
      '--no-vacuum',
      ...(await scriptFiles(options.script, directory)).flatMap((file) => ['--file', file]),
      ...['--client', String(clients), '--jobs', String(Math.min(threads, clients)), '--protocol', protocol],
      ...('seconds' in length ? ['--time', String(length.seconds)] : ['--transactions', String(length.transactionsPerClient)]),
      ...(rate === undefined ? [] : ['--rate', rate.toFixed(1)]),
      ...Object.entries({ rows, ...variables }).flatMap(([name, value]) => ['--define', `${name}=${value}`]),
      ...(reconnect ? ['--connect'] : []),
      ...(latencies ? ['--log', '--log-prefix', join(directory, 'log')] : []),
      ...(onProgress ? ['--progress', '2'] : []),
    ];
    const finished = run({ name: 'pgbench', command: pgbench.command, args, environment: connectionEnvironment(target), cwd: directory, signal, onStderrLine: onProgress });
    const summary = await finished.then(({ stdout }) => parseSummary(stdout), readAborted);
    const latenciesMsByScript = latencies ? await readLatencies(directory, latencies.afterTransactions) : [];
    return { ...summary, latenciesMs: latenciesMsByScript.flat(), latenciesMsByScript };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** libpq's variables: nothing of it is on a command line that others could read. */
export function connectionEnvironment(target: LoadTarget): NodeJS.ProcessEnv {
  const { addresses, port, database, user, password, opensslSettingsFile } = target;
  return {
    PATH: '/usr/bin:/bin',
    PGHOSTADDR: addresses.join(','),
    PGPORT: String(port),
    PGDATABASE: database,
    PGUSER: user,
    PGPASSWORD: password,
    ...libpqTls(target),
    ...(opensslSettingsFile === undefined ? {} : { OPENSSL_CONF: opensslSettingsFile }),
    PGLOADBALANCEHOSTS: 'random',
    PGCONNECT_TIMEOUT: '60',
  };
}

/** Reads what pgbench prints at its end. */
export function parseSummary(text: string): Summary {
  const figure = (pattern: RegExp): number => {
    const [, value] = pattern.exec(text) ?? [];
    if (value === undefined) throw new Error(`pgbench printed no line like ${pattern.source}:\n${text}`);
    return Number(value);
  };
  const transactions = figure(/^number of transactions actually processed: (\d+)/m);
  return {
    transactions,
    failed: figure(/^number of failed transactions: (\d+)/m),
    // Of nothing, pgbench gives no rate.
    transactionsPerSecond: transactions === 0 ? 0 : figure(/^tps = ([\d.]+)/m),
  };
}

/** What is left of a load whose clients the server refused or cut off. @throws the error, if it is another one */
export function readAborted(error: unknown): Summary & { readonly aborted: string } {
  if (!(error instanceof FailedProgram)) throw error;
  const aborted = wordsOfServer(error.output);
  if (aborted === undefined) throw error;
  const isSummedUp = error.output.stdout.includes('number of transactions actually processed');
  return { ...(isSummedUp ? parseSummary(error.output.stdout) : { transactions: 0, failed: 0, transactionsPerSecond: 0 }), aborted };
}

function wordsOfServer({ stderr }: Output): string | undefined {
  const [, words] = /(?:FATAL|ERROR): +(.+)/.exec(stderr) ?? [];
  return words ?? /client \d+ .*aborted.*/.exec(stderr)?.[0];
}

async function scriptFiles(script: LoadOptions['script'], directory: string): Promise<readonly string[]> {
  if (typeof script === 'string') return [sampleScript(script)];
  return Promise.all(
    script.map(async (sql, index) => {
      const file = join(directory, `script-${index}.sql`);
      await writeFile(file, `${sql};\n`);
      return file;
    }),
  );
}

/**
 * Latencies by the number of their script, in no order.
 *
 * @see https://www.postgresql.org/docs/17/pgbench.html#PGBENCH-LOGGING
 */
async function readLatencies(directory: string, afterTransactions: number): Promise<readonly (readonly number[])[]> {
  const files = (await readdir(directory)).filter((name) => name.startsWith('log'));
  const latenciesMs: number[][] = [];
  for (const name of files) {
    for (const line of (await readFile(join(directory, name), 'utf8')).split('\n').filter((text) => text !== '')) {
      const [, ofClient, latencyMicroseconds, script] = line.split(' ', 4).map(Number) as [number, number, number, number];
      if (ofClient >= afterTransactions) (latenciesMs[script] ??= []).push(latencyMicroseconds / 1000);
    }
  }
  return latenciesMs;
}
