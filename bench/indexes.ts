import Table from 'cli-table3';
import { Command } from 'commander';
import type { Client } from 'pg';

import { environments } from '../lib/config/environments';
import { PostgresServer } from '../lib/rehearsal/engines/postgres-server';
import { percentile } from '../lib/rehearsal/load/percentile';
import { loadSample } from '../lib/rehearsal/load/sample';
import { indexCatalogue } from '../lib/tier/indexes/index-catalogue';
import { IndexReconciler } from '../lib/tier/indexes/index-reconciler';
import { SteadyWriters } from './steady-writers';
import { wholeNumber } from './whole-number';

const options = new Command('npm run bench:indexes --')
  .description("Builds the guide's indexes under a steady write load in four ways, one after another in each run, and compares what writers feel.")
  .option('--rows <count>', 'appointments in the sample', wholeNumber, 1_000_000)
  .option('--runs <count>', 'of each way; the figures are medians over them', wholeNumber, 3)
  .option('--writes <rate>', 'bookings a second', wholeNumber, 120)
  .parse()
  .opts<{ rows: number; runs: number; writes: number }>();

const writerSessions = 24;
const quietSeconds = 15;
const { indexes } = environments.production;

type Way = 'no build' | 'CREATE INDEX' | 'CONCURRENTLY, one after another' | 'index migrations';
interface Run {
  readonly buildSeconds: number;
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
  readonly failed: number;
  readonly invalid: number;
}

async function main(): Promise<void> {
  const say = (what: string): void => void process.stderr.write(`${what}\n`);
  const server = await PostgresServer.start({
    address: '127.40.0.1',
    parameters: { shared_buffers: '1GB', maintenance_work_mem: '256MB', max_wal_size: '8GB', checkpoint_timeout: '900', wal_compression: '1' },
  });
  const stop = (): void => void server.stop().then(() => process.exit(130));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    const connect = (): Promise<Client> => server.superuser();
    say(`sample of ${options.rows.toLocaleString('en-US')} appointments`);
    await loadSample(connect, options.rows, () => undefined);
    const ways: Readonly<Record<Way, () => Promise<unknown>>> = {
      'no build': () => new Promise((resolve) => setTimeout(resolve, quietSeconds * 1000)),
      'CREATE INDEX': () => oneAfterAnother(connect, 'CREATE INDEX'),
      'CONCURRENTLY, one after another': () => oneAfterAnother(connect, 'CREATE INDEX CONCURRENTLY'),
      'index migrations': () =>
        new IndexReconciler({ connect, catalogue: indexCatalogue(indexes), generation: 1, log: () => undefined }).run(new Date(Date.now() + 3_600_000)),
    };
    const runs = new Map<Way, Run[]>();
    for (let run = 1; run <= options.runs; run++) {
      for (const [way, build] of Object.entries(ways) as [Way, () => Promise<unknown>][]) {
        say(`run ${run} of ${options.runs}: ${way}`);
        const result = await measure(connect, build);
        say(`  ${result.buildSeconds.toFixed(1)} s, writes p99 ${result.p99.toFixed(0)} ms, longest ${result.longest.toFixed(0)} ms`);
        runs.set(way, [...(runs.get(way) ?? []), result]);
      }
    }
    process.exitCode = report(runs) ? 0 : 1;
  } finally {
    await server.stop();
  }
}

async function oneAfterAnother(connect: () => Promise<Client>, create: string): Promise<void> {
  const session = await connect();
  for (const { name, table, definition } of indexes) await session.query(`${create} ${name} ON ${table} ${definition}`);
  await session.end();
}

async function measure(connect: () => Promise<Client>, build: () => Promise<unknown>): Promise<Run> {
  const session = await connect();
  for (const { name } of indexes) await session.query(`DROP INDEX IF EXISTS ${name}`);
  await session.query('DROP SCHEMA IF EXISTS index_migrations CASCADE');
  await session.query('CHECKPOINT');
  const sessions = await Promise.all(Array.from({ length: writerSessions }, connect));
  const writers = new SteadyWriters(sessions, options.writes, options.rows);
  const startedAt = performance.now();
  await build();
  const buildSeconds = (performance.now() - startedAt) / 1000;
  const { latenciesMs, failed } = await writers.stop();
  await Promise.all(sessions.map((each) => each.end()));
  const { rows } = await session.query<{ invalid: number }>('SELECT count(*)::int AS invalid FROM pg_index WHERE NOT indisvalid');
  await session.end();
  return { buildSeconds, p50: percentile(latenciesMs, 50), p99: percentile(latenciesMs, 99), longest: percentile(latenciesMs, 100), failed, invalid: rows[0]!.invalid };
}

/** Prints the table and the goals; false if one was not reached. */
function report(runs: ReadonlyMap<Way, readonly Run[]>): boolean {
  const of = (way: Way, figure: keyof Run): readonly number[] => runs.get(way)!.map((run) => run[figure]);
  const median = (way: Way, figure: keyof Run): number => percentile(of(way, figure), 50);
  const worst = (way: Way, figure: keyof Run): number => Math.max(...of(way, figure));
  const table = new Table({ head: ['', 'build, s', 'write p50, ms', 'p99, ms', 'longest, ms', 'failed', 'INVALID'], style: { head: [], border: [] } });
  for (const way of runs.keys()) {
    table.push([way, median(way, 'buildSeconds').toFixed(1), median(way, 'p50').toFixed(1), median(way, 'p99').toFixed(0), worst(way, 'longest').toFixed(0), worst(way, 'failed'), worst(way, 'invalid')]);
  }
  const ours: Way = 'index migrations';
  const goals: readonly (readonly [string, number, number])[] = [
    ['p99 of writes ÷ that without a build', median(ours, 'p99') / median('no build', 'p99'), 2],
    ['longest write, s', worst(ours, 'longest') / 1000, 1],
    ['build time ÷ that of CONCURRENTLY, one after another', median(ours, 'buildSeconds') / median('CONCURRENTLY, one after another', 'buildSeconds'), 0.7],
    ['failed writes', worst(ours, 'failed'), 0],
    ['INVALID indexes', worst(ours, 'invalid'), 0],
  ];
  process.stdout.write(`${table.toString()}\nMedians over ${options.runs} runs; longest, failed and INVALID are the worst of them. ${options.writes} bookings a second, ${options.rows.toLocaleString('en-US')} appointments.\n\n`);
  for (const [what, measured, most] of goals) process.stdout.write(`${measured <= most ? 'reached' : 'missed '}  ${what}: ${Number(measured.toFixed(2))} (at most ${most})\n`);
  return goals.every(([, measured, most]) => measured <= most);
}

void main();
