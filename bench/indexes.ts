import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { join } from 'node:path';

import Table from 'cli-table3';
import { InvalidArgumentError } from 'commander';
import type { Client } from 'pg';

import { commandLine } from '../bin/command-line';
import { environments } from '../lib/config/environments';
import { PostgresServer } from '../lib/rehearsal/engines/postgres-server';
import { whileWatchingCpu } from '../lib/rehearsal/load/machine-cpu';
import { percentile } from '../lib/rehearsal/load/percentile';
import { loadSample } from '../lib/rehearsal/load/sample';
import { type Goal, goalVerdict, renderGoals } from './goals';
import type { Build, BuildMessage } from './index-build';
import { explainDisturbance, isDisturbed, whileWatchingOthers } from './other-programs';
import { SteadyWriters } from './steady-writers';
import { wholeNumber } from './whole-number';

const options = commandLine('bench:indexes')
  .description("Builds the guide's indexes under a steady write load in four ways and without a build, in turn in each run, and compares what writers feel.")
  .option('--rows <count>', 'appointments in the sample', wholeNumber, 1_000_000)
  .option('--runs <count>', 'of each way; the figures are medians over them', wholeNumber, 3)
  .option('--writes <rate>', 'bookings a second', wholeNumber, 120)
  .option('--cores <count>', 'that the builds of the index migrations may keep busy together; one for each table if not given', wholeNumber)
  .option('--parameter <name=value...>', 'of the server, over what production sets, such as wal_compression=pglz', parameter, [])
  .addHelpText('after', '\nExit codes: 0 every goal reached, 1 one missed, or unclear because other programs ran, 2 it could not run, 130 interrupted.')
  .parse()
  .opts<{ rows: number; runs: number; writes: number; cores?: number; parameter: readonly string[] }>();

function parameter(text: string, before: readonly string[]): readonly string[] {
  if (!/^[\w.]+=/.test(text)) throw new InvalidArgumentError(`"${text}" is not name=value.`);
  return [...before, text];
}

const writerSessions = 24;
const quietSeconds = 15;
const { indexes } = environments.production;
/** As production's, but for memory, of which this machine has less. */
const parameters = { shared_buffers: '1GB', maintenance_work_mem: '256MB', max_wal_size: '8GB', checkpoint_timeout: '900', wal_compression: 'off' };

type Way = 'no build' | 'CREATE INDEX' | 'CONCURRENTLY, one after another' | 'index migrations, 1 table at once' | 'index migrations, 2 tables at once';
const builds: Readonly<Record<Way, Build | undefined>> = {
  'no build': undefined,
  'CREATE INDEX': { statement: 'CREATE INDEX' },
  'CONCURRENTLY, one after another': { statement: 'CREATE INDEX CONCURRENTLY' },
  'index migrations, 1 table at once': { tablesAtOnce: 1, cores: options.cores },
  'index migrations, 2 tables at once': { tablesAtOnce: 2, cores: options.cores },
};
/** The default. */
const ours: Way = 'index migrations, 2 tables at once';
const baseline: Way = 'CONCURRENTLY, one after another';

interface Run {
  readonly buildSeconds: number;
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
  readonly failed: number;
  readonly invalid: number;
  /** Of this machine's cores while it lasted. */
  readonly busyPercent: number;
  /** Of that, what other programs took. */
  readonly othersPercent: number;
  /** With that of the writes. */
  readonly serverCpuSeconds: number;
}

async function main(): Promise<void> {
  const say = (what: string): void => void process.stderr.write(`${what}\n`);
  const server = await PostgresServer.start({
    address: '127.40.0.1',
    parameters: { ...parameters, ...Object.fromEntries(options.parameter.map((text) => text.split(/=(.*)/s) as [string, string])) },
  });
  const builder = fork(join(__dirname, 'index-build.ts'), { execArgv: ['-r', 'ts-node/register/transpile-only'] });
  const stop = (): void => {
    builder.kill();
    void server.stop().then(() => process.exit(130));
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    const connect = (): Promise<Client> => server.superuser();
    const password = randomBytes(24).toString('hex');
    await server.query(`CREATE ROLE builder SUPERUSER LOGIN PASSWORD '${password}'`);
    await told(builder, { server: { host: server.address, port: server.port, user: 'builder', password, database: 'postgres' } });
    say(`sample of ${options.rows.toLocaleString('en-US')} appointments`);
    await loadSample(connect, options.rows, () => undefined);
    // Not measured: autovacuum would come for the new tables, and the first writes find nothing in memory.
    await server.query('VACUUM (ANALYZE)');
    await measure(server, connect, () => quiet(5));
    const runs = new Map<Way, Run[]>();
    for (let run = 1; run <= options.runs; run++) {
      for (const [way, by] of Object.entries(builds) as [Way, Build | undefined][]) {
        say(`run ${run} of ${options.runs}: ${way}`);
        const result = await measure(server, connect, () => (by ? told(builder, { build: by }) : quiet(quietSeconds)));
        say(`  ${result.buildSeconds.toFixed(1)} s, writes p99 ${result.p99.toFixed(0)} ms, longest ${result.longest.toFixed(0)} ms, cores busy ${result.busyPercent.toFixed(0)} %, server CPU ${result.serverCpuSeconds.toFixed(1)} s`);
        runs.set(way, [...(runs.get(way) ?? []), result]);
      }
    }
    process.exitCode = report(runs) ? 0 : 1;
  } finally {
    builder.kill();
    await server.stop();
  }
}

/** Tells the process that builds what to do, and waits until it has done it. */
async function told(builder: ChildProcess, message: BuildMessage): Promise<void> {
  const answered = new AbortController();
  const ended = once(builder, 'exit', { signal: answered.signal }).then(() => Promise.reject(new Error('the process that builds has ended')));
  const answer = once(builder, 'message');
  builder.send(message);
  await Promise.race([answer, ended]);
  answered.abort();
}

function quiet(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

async function measure(server: PostgresServer, connect: () => Promise<Client>, build: () => Promise<unknown>): Promise<Run> {
  const session = await connect();
  for (const { name } of indexes) await session.query(`DROP INDEX IF EXISTS ${name}`);
  await session.query('DROP SCHEMA IF EXISTS index_migrations CASCADE');
  await session.query('CHECKPOINT');
  const sessions = await Promise.all(Array.from({ length: writerSessions }, connect));
  const writers = new SteadyWriters(sessions, options.writes, options.rows);
  const cpuBefore = await server.cpuSeconds();
  const startedAt = performance.now();
  const { result: { busyShare }, othersPercent } = await whileWatchingOthers(() => whileWatchingCpu(build));
  const buildSeconds = (performance.now() - startedAt) / 1000;
  const serverCpuSeconds = (await server.cpuSeconds()) - cpuBefore;
  const { latenciesMs, failed } = await writers.stop();
  await Promise.all(sessions.map((each) => each.end()));
  const { rows } = await session.query<{ invalid: number }>('SELECT count(*)::int AS invalid FROM pg_index WHERE NOT indisvalid');
  await session.end();
  const at = (percent: number): number => percentile(latenciesMs, percent);
  return { buildSeconds, p50: at(50), p99: at(99), longest: at(100), failed, invalid: rows[0]!.invalid, busyPercent: 100 * busyShare, othersPercent, serverCpuSeconds };
}

/** Prints the table and the goals; false if one was not reached. */
function report(runs: ReadonlyMap<Way, readonly Run[]>): boolean {
  const of = (way: Way, figure: keyof Run): readonly number[] => runs.get(way)!.map((run) => run[figure]);
  const median = (way: Way, figure: keyof Run): number => percentile(of(way, figure), 50);
  const worst = (way: Way, figure: keyof Run): number => Math.max(...of(way, figure));
  const table = new Table({ head: ['', 'build, s', 'write p50, ms', 'p99, ms', 'longest, ms', 'failed', 'INVALID', 'server CPU, s', 'cores busy, %'], style: { head: [], border: [] } });
  for (const way of runs.keys()) {
    table.push([
      way, median(way, 'buildSeconds').toFixed(1), median(way, 'p50').toFixed(1), median(way, 'p99').toFixed(0), worst(way, 'longest').toFixed(0),
      worst(way, 'failed'), worst(way, 'invalid'), median(way, 'serverCpuSeconds').toFixed(1), median(way, 'busyPercent').toFixed(0),
    ]); // prettier-ignore
  }
  // Run by run: the machine itself may be slower in one than in another.
  const ratio = (way: Way, to: Way, figure: 'p99' | 'buildSeconds'): number => percentile(of(way, figure).map((value, run) => value / of(to, figure)[run]!), 50);
  const p99Ratio = (way: Way): number => ratio(way, 'no build', 'p99');
  const timeRatio = (way: Way): number => ratio(way, baseline, 'buildSeconds');
  const goal = (what: string, measured: number, most: number, isTimed: boolean): Goal => ({ what, measured, limit: { most }, isTimed });
  const goals: readonly Goal[] = [
    goal('p99 of writes ÷ that without a build', p99Ratio(ours), 2, true),
    goal('longest write, s', worst(ours, 'longest') / 1000, 1, false),
    goal(`build time ÷ that of ${baseline}`, timeRatio(ours), 0.7, true),
    goal('failed writes', worst(ours, 'failed'), 0, false),
    goal('INVALID indexes', worst(ours, 'invalid'), 0, false),
  ];
  process.stdout.write(`${table.toString()}\nMedians over ${options.runs} runs, ratios of each run; longest, failed and INVALID are the worst of them. ${options.writes} bookings a second, ${options.rows.toLocaleString('en-US')} appointments.\n\n`);
  const othersPercent = percentile([...runs.values()].flat().map((run) => run.othersPercent), 50);
  const disturbed = isDisturbed(othersPercent);
  process.stdout.write(`${renderGoals(goals, disturbed)}\n`);
  const cores = cpus().length;
  const leastSeconds = median(ours, 'serverCpuSeconds') / cores;
  const both = (way: Way): string => `${timeRatio(way).toFixed(2)} of the time at ${p99Ratio(way).toFixed(1)} times the p99`;
  const oneTable: Way = 'index migrations, 1 table at once';
  const why = disturbed
    ? explainDisturbance(othersPercent)
    : `${baseline}, keeps ${(median(baseline, 'serverCpuSeconds') / median(baseline, 'buildSeconds')).toFixed(1)} of ${cores} cores busy by itself, with PostgreSQL's parallel workers. What two tables at once cost would fill all ${cores} cores for ${leastSeconds.toFixed(1)} s, ${(leastSeconds / median(baseline, 'buildSeconds')).toFixed(2)} of its time: less cannot be had here, and the closer a build gets to it, the longer writers wait for a core.`;
  process.stdout.write(`\nTwo tables at once: ${both(ours)}. One, which leaves the other cores to the application: ${both(oneTable)}.\n${why}\n`);
  return goals.every((each) => goalVerdict(each, disturbed) === 'reached');
}

main().catch((error: Error) => {
  process.stderr.write(`the bench could not run: ${error.message}\n`);
  process.exitCode = 2;
});
