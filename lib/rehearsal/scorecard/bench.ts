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

export type MeasuredLoad = LoadResult & { readonly limited: boolean };

/**
 * Runs a load, and tells whether this machine had nothing left to give meanwhile: for one client, that is one core.
 *
 * @throws Error with the server's words, if it let no client do anything
 */
export async function load(bench: Bench, target: LoadTarget, options: LoadOptions): Promise<MeasuredLoad> {
  const result = await loadOrRefusal(bench, target, options);
  if (result.transactions > 0) return result;
  if (result.aborted !== undefined) throw new Error(`no client of a load got through: ${result.aborted}`);
  // A busy machine may take longer for the logins than the load was to last.
  return 'seconds' in options.length ? load(bench, target, { ...options, length: { seconds: options.length.seconds * 2 } }) : result;
}

/** The same, for a load that may be refused as a whole. */
export async function loadOrRefusal(bench: Bench, target: LoadTarget, options: LoadOptions): Promise<MeasuredLoad> {
  const { result, saturated, oneCoreSaturated } = await whileWatchingCpu(() =>
    runLoad(target, bench.rows, { ...options, signal: bench.signal, onProgress: bench.onProgress }),
  );
  return { ...result, limited: options.clients === 1 ? oneCoreSaturated : saturated };
}

/** A line of the target table. */
export function checkOf(name: MetricName, measured: number, circumstances: Circumstances = {}, detail?: string): Check {
  const metric = findMetric(name);
  const { aborted } = circumstances;
  const words = [...(aborted === undefined ? [] : [`clients were cut off: ${aborted}`]), ...(detail ? [detail] : [])].join('; ');
  return { name, title: metric.title, target: targetText(metric), measured, unit: metric.unit, verdict: judge(metric, measured, circumstances), ...(words && { detail: words }) };
}
