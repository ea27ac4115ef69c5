import type { LatencyCurve, LatencySummary } from '../report/measurements';
import { percentile } from './percentile';

/** Points between one tenth of the transactions and the next: the slowest thousandth is drawn as finely as the rest. */
const pointsPerTenth = 20;
const tenths = 3;

/** The latencies of runs of the same load: at each percentile the median over the runs, so that one odd moment does not decide. */
export function latencyCurve(name: string, runs: readonly (readonly number[])[]): LatencyCurve {
  const percents = Array.from({ length: tenths * pointsPerTenth + 1 }, (_, point) => 100 * (1 - 10 ** (-point / pointsPerTenth)));
  return { name, points: percents.map((percent) => ({ percent, ms: medianPercentile(runs, percent) })) };
}

/** The median over runs of one percentile. */
export function medianPercentile(runs: readonly (readonly number[])[], percent: number): number {
  return percentile(runs.map((latenciesMs) => percentile(latenciesMs, percent)), 50);
}

export function latencySummary(latenciesMs: readonly number[]): LatencySummary {
  return { p50Ms: percentile(latenciesMs, 50), p95Ms: percentile(latenciesMs, 95), p99Ms: percentile(latenciesMs, 99) };
}
