import type { Connections } from '../connections';
import type { TierUnderRehearsal } from '../deployment/tier-under-rehearsal';
import { type LoadOptions, type LoadResult, type LoadTarget, runLoad } from '../load/pgbench';
import { whileWatchingCpu } from '../load/machine-cpu';
import { type Circumstances, findMetric, judge, type MetricName, targetText } from '../load/metrics';
import type { Check } from '../report/report';

/** What every measurement needs. */
export interface Bench {
  readonly tier: TierUnderRehearsal;
  readonly connections: Connections;
  /** Appointments of the sample. */
  readonly rows: number;
  /** How long a load runs that is measured by its rate. */
  readonly loadSeconds: number;
  readonly signal: AbortSignal;
  readonly onProgress: (what: string) => void;
}

/** Runs a load, and tells whether this machine had nothing left to give meanwhile: for one client, that is one core. */
export async function load(bench: Bench, target: LoadTarget, options: LoadOptions): Promise<LoadResult & { readonly limited: boolean }> {
  const { result, saturated, oneCoreSaturated } = await whileWatchingCpu(() =>
    runLoad(target, bench.rows, { ...options, signal: bench.signal, onProgress: bench.onProgress }),
  );
  return { ...result, limited: options.clients === 1 ? oneCoreSaturated : saturated };
}

/** A line of the target table. */
export function checkOf(name: MetricName, measured: number, circumstances: Circumstances = {}, detail?: string): Check {
  const metric = findMetric(name);
  return { name, title: metric.title, target: targetText(metric), measured, unit: metric.unit, verdict: judge(metric, measured, circumstances), ...(detail && { detail }) };
}
