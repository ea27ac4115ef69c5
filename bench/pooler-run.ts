import type { Connections } from '../lib/rehearsal/connections';
import type { TierUnderRehearsal } from '../lib/rehearsal/deployment/tier-under-rehearsal';
import { percentile } from '../lib/rehearsal/load/percentile';
import { type LoadOptions, type LoadResult, type LoadTarget, runLoad } from '../lib/rehearsal/load/pgbench';
import { countSessions, reuseBetween } from '../lib/rehearsal/scorecard/connection-reuse';
import { measureClientMemory } from './pooler-memory';

export const clients = 100;
export const protocols = ['simple', 'extended', 'prepared'] as const;
export const thinkingQueriesPerSecond = 1000;
export const memoryClients = 4000;
/** They take a second: in many turns, so that a machine that grows faster or slower meanwhile does so for both sides. */
const loginTurns = 9;
const loginsOfTurn = 100;
const queriesPerSession = 4;
/** pgbench looks at every connection of a thread to find one that is ready: with few threads it would be what is measured. */
const clientThreads = 20;
const thinkingSeconds = 10;

type Side = 'direct' | 'pooled';
type Protocol = (typeof protocols)[number];

/** What one run measures; p50 and p99 in milliseconds, memory in MB for each 1,000 clients. */
export type Figure =
  | `${Protocol} ${Side} ${'/s' | 'p50' | 'p99'}`
  | `login ${Side} ms`
  | 'few sessions /s'
  | 'many sessions /s'
  | 'thinking p50'
  | 'thinking p99'
  | 'memory with TLS'
  | 'memory without TLS'
  | 'reuse %';
export type Run = Readonly<Record<Figure, number>>;

export interface PoolerBench {
  readonly tier: TierUnderRehearsal;
  readonly connections: Connections;
  /** Of each of the clients in a throughput measurement. */
  readonly transactions: number;
  /** Appointments of the sample. */
  readonly rows: number;
  /** Of the large measurements. */
  readonly sessions: number;
  /** By which every client agrees on the same key exchange with either side. */
  readonly opensslSettingsFile: string;
  readonly signal: AbortSignal;
  readonly onProgress: (what: string) => void;
}

/** Both sides as the same role, over TLS; the pooler without the balancer: one task, which is one process of PgBouncer. */
export function sidesOf({ tier, connections, opensslSettingsFile }: Pick<PoolerBench, 'tier' | 'connections' | 'opensslSettingsFile'>): Readonly<Record<Side, LoadTarget>> {
  return {
    direct: { ...connections.direct, opensslSettingsFile },
    pooled: { ...connections.readWrite, opensslSettingsFile, addresses: [tier.pooler.tasks[0]!.address] },
  };
}

/** @param order which side goes first: the second finds warmer caches, and takes turns at it */
export async function measureRun(bench: PoolerBench, order: readonly Side[]): Promise<Run> {
  const { sessions, transactions, onProgress } = bench;
  const sides = sidesOf(bench);
  const figures: Partial<Record<Figure, number>> = {};

  for (const protocol of protocols) {
    for (const side of order) {
      onProgress(`${clients} clients, ${protocol}, ${side}`);
      const { transactionsPerSecond, latenciesMs } = await load(bench, sides[side], { script: 'read', clients, protocol, length: { transactionsPerClient: transactions }, latencies: { afterTransactions: Math.floor(transactions / 6) } });
      figures[`${protocol} ${side} /s`] = transactionsPerSecond;
      figures[`${protocol} ${side} p50`] = percentile(latenciesMs, 50);
      figures[`${protocol} ${side} p99`] = percentile(latenciesMs, 99);
    }
  }
  const loginsMs: Record<Side, number[]> = { direct: [], pooled: [] };
  for (let turn = 1; turn <= loginTurns; turn++) {
    for (const side of order) {
      onProgress(`logins, ${side}, turn ${turn} of ${loginTurns}`);
      const { transactionsPerSecond } = await load(bench, sides[side], { script: 'login', clients: 1, protocol: 'simple', reconnect: true, length: { transactionsPerClient: loginsOfTurn } });
      loginsMs[side].push(1000 / transactionsPerSecond);
    }
  }
  for (const side of order) figures[`login ${side} ms`] = percentile(loginsMs[side], 50);

  const before = await countSessions(bench);
  for (const [name, count] of [['few', clients], ['many', sessions]] as const) {
    onProgress(`${count} sessions without think time`);
    const length = { transactionsPerClient: Math.ceil((sessions / count) * queriesPerSession) };
    const { transactionsPerSecond } = await load(bench, sides.pooled, { script: 'read', clients: count, threads: clientThreads, protocol: 'simple', length });
    figures[`${name} sessions /s`] = transactionsPerSecond;
  }
  onProgress(`${sessions} sessions with think time`);
  const thinking = { rate: thinkingQueriesPerSecond, length: { transactionsPerClient: Math.ceil((thinkingSeconds * thinkingQueriesPerSecond) / sessions) } };
  const { latenciesMs } = await load(bench, sides.pooled, { script: 'read', clients: sessions, threads: clientThreads, protocol: 'simple', ...thinking, latencies: { afterTransactions: 0 } });
  figures['thinking p50'] = percentile(latenciesMs, 50);
  figures['thinking p99'] = percentile(latenciesMs, 99);
  figures['reuse %'] = reuseBetween(before, await countSessions(bench)).percent;

  for (const tls of [true, false]) {
    onProgress(`memory of ${memoryClients} clients ${tls ? 'with' : 'without'} TLS`);
    figures[`memory ${tls ? 'with' : 'without'} TLS`] = await measureClientMemory(bench.tier, memoryClients, tls, async (address) => {
      await load(bench, { ...sides.pooled, addresses: [address], tls }, { script: 'read', clients: memoryClients, threads: clientThreads, protocol: 'simple', rate: memoryClients / 4, length: { transactionsPerClient: 1 } });
    });
  }
  return figures as Run;
}

/** @throws Error with the server's words, if a single transaction did not succeed: the figure would be of something else */
async function load({ rows, signal }: PoolerBench, target: LoadTarget, options: LoadOptions): Promise<LoadResult> {
  const result = await runLoad(target, rows, { ...options, signal });
  if (result.aborted !== undefined) throw new Error(`a client at ${target.addresses[0]} was refused or cut off: ${result.aborted}`);
  if (result.failed > 0) throw new Error(`${result.failed} transactions at ${target.addresses[0]} failed`);
  return result;
}
