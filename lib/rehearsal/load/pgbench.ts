import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { run } from '../engines/child';
import { debianTools } from '../engines/debian-tools';
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
}

export interface LoadOptions {
  readonly script: SampleScript;
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
  /** Of every transaction, if asked for; in no order. */
  readonly latenciesMs: readonly number[];
}

/**
 * Runs pgbench against the booking sample.
 *
 * @param rows appointments of the sample
 * @throws Error with what pgbench said last, if a client could not connect or was aborted
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
      ...['--file', sampleScript(options.script)],
      ...['--client', String(clients), '--jobs', String(Math.min(threads, clients)), '--protocol', protocol],
      ...('seconds' in length ? ['--time', String(length.seconds)] : ['--transactions', String(length.transactionsPerClient)]),
      ...(rate === undefined ? [] : ['--rate', rate.toFixed(1)]),
      ...Object.entries({ rows, ...variables }).flatMap(([name, value]) => ['--define', `${name}=${value}`]),
      ...(reconnect ? ['--connect'] : []),
      ...(latencies ? ['--log', '--log-prefix', join(directory, 'log')] : []),
      ...(onProgress ? ['--progress', '2'] : []),
    ];
    const { stdout } = await run({ name: 'pgbench', command: pgbench.command, args, environment: connectionEnvironment(target), cwd: directory, signal, onStderrLine: onProgress });
    return { ...parseSummary(stdout), latenciesMs: latencies ? await readLatencies(directory, latencies.afterTransactions) : [] };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** libpq's variables: nothing of it is on a command line that others could read. */
export function connectionEnvironment({ addresses, port, database, user, password, tls = true }: LoadTarget): NodeJS.ProcessEnv {
  return {
    PATH: '/usr/bin:/bin',
    PGHOSTADDR: addresses.join(','),
    PGPORT: String(port),
    PGDATABASE: database,
    PGUSER: user,
    PGPASSWORD: password,
    PGSSLMODE: tls ? 'require' : 'disable',
    PGLOADBALANCEHOSTS: 'random',
    PGCONNECT_TIMEOUT: '60',
  };
}

/** Reads what pgbench prints at its end. */
export function parseSummary(text: string): Omit<LoadResult, 'latenciesMs'> {
  const figure = (pattern: RegExp): number => {
    const [, value] = pattern.exec(text) ?? [];
    if (value === undefined) throw new Error(`pgbench printed no line like ${pattern.source}:\n${text}`);
    return Number(value);
  };
  return {
    transactions: figure(/^number of transactions actually processed: (\d+)/m),
    failed: figure(/^number of failed transactions: (\d+)/m),
    transactionsPerSecond: figure(/^tps = ([\d.]+)/m),
  };
}

/**
 * Latencies, in no order.
 *
 * @see https://www.postgresql.org/docs/17/pgbench.html#PGBENCH-LOGGING
 */
async function readLatencies(directory: string, afterTransactions: number): Promise<readonly number[]> {
  const files = (await readdir(directory)).filter((name) => name.startsWith('log'));
  const texts = await Promise.all(files.map((name) => readFile(join(directory, name), 'utf8')));
  return texts.flatMap((text) =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .flatMap((line) => {
        const [, ofClient, latencyMicroseconds] = line.split(' ', 3).map(Number) as [number, number, number];
        return ofClient < afterTransactions ? [] : [latencyMicroseconds / 1000];
      }),
  );
}
