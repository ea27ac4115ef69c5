import { latencyCurve, medianPercentile } from '../load/latency-curve';
import { findMetric } from '../load/metrics';
import type { LatencyComparison } from '../report/measurements';
import type { Check } from '../report/report';
import { type Bench, checkOf, load } from './bench';

/** Enough to keep every server connection of the pool busy. */
const clients = 64;
const runsAtRate = 3;
const warmUpSeconds = 1;

interface RateRun {
  readonly latenciesMs: readonly number[];
  readonly limited: boolean;
  readonly aborted?: string;
}

/** A barber's day through the pooler: first as fast as it goes, then at half of that, where people wait least. */
export async function measureIndexedQuery(bench: Bench): Promise<{ readonly check: Check; readonly latencies: LatencyComparison }> {
  const options = { script: 'read', clients, protocol: 'prepared' } as const;
  const capacity = await load(bench, bench.connections.readWrite, { ...options, length: { seconds: Math.ceil(bench.loadSeconds / 2) } });
  const rate = capacity.transactionsPerSecond / 2;
  const runs: RateRun[] = [];
  const directRuns: RateRun[] = [];
  // In transactions, not seconds: pgbench's clock runs during its logins, and those at the database itself take long.
  const perClientAndSecond = rate / clients;
  const length = { transactionsPerClient: Math.ceil(perClientAndSecond * (warmUpSeconds + Math.ceil(bench.loadSeconds / runsAtRate))) };
  const atRate = { ...options, length, rate, latencies: { afterTransactions: Math.floor(perClientAndSecond * warmUpSeconds) } } as const;
  for (let run = 0; run < runsAtRate; run++) {
    runs.push(await load(bench, bench.connections.readWrite, atRate));
    directRuns.push(await load(bench, bench.connections.direct, atRate));
  }
  const latenciesOf = (these: readonly RateRun[]) => these.map(({ latenciesMs }) => latenciesMs);
  const of = (these: readonly RateRun[], percent: number): number => medianPercentile(latenciesOf(these), percent);
  const [p95, directP95] = [of(runs, 95), of(directRuns, 95)];
  const saturated = runs.filter((run) => run.limited).length > runsAtRate / 2;
  // What this machine cannot do without the tier says nothing of the tier.
  const limited = saturated || directP95 >= findMetric('indexed-query-p95').target;
  const check = checkOf(
    'indexed-query-p95',
    p95,
    { limited, aborted: [capacity, ...runs].find((run) => run.aborted !== undefined)?.aborted },
    `median of ${runsAtRate} runs at ${rate.toFixed(0)}/s; p50 ${of(runs, 50).toFixed(2)} ms, p99 ${of(runs, 99).toFixed(1)} ms; the same load directly at the primary: p50 ${of(directRuns, 50).toFixed(2)} ms, p95 ${directP95.toFixed(1)} ms, p99 ${of(directRuns, 99).toFixed(1)} ms`,
  );
  return {
    check: { ...check, direct: { measured: directP95 } },
    latencies: {
      name: 'indexed-query',
      title: `Indexed query at half of the measured capacity, ${rate.toFixed(0)}/s`,
      targetMs: findMetric('indexed-query-p95').target,
      curves: [latencyCurve('through the pooler', latenciesOf(runs)), latencyCurve('directly at the primary', latenciesOf(directRuns))],
    },
  };
}
