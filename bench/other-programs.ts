import { readFile } from 'node:fs/promises';

import { clockTicksPerSecond, processTreeCpuSeconds } from '../lib/rehearsal/engines/process-cpu';

/** A smaller share changes a figure less than the noise between two runs. */
const tolerablePercent = 10;

const kernelThreads = 2;

export interface Watched<Result> {
  readonly result: Result;
  /** What programs took that are neither this one nor started by it, percent of all cores. */
  readonly othersPercent: number;
}

/**
 * Watches whether other programs run while something is measured.
 *
 * @see https://man7.org/linux/man-pages/man5/proc_stat.5.html
 */
export async function whileWatchingOthers<Result>(work: () => Promise<Result>): Promise<Watched<Result>> {
  const before = await readTimes();
  const result = await work();
  const after = await readTimes();
  const taken = after.busy - before.busy - (after.ours - before.ours);
  return { result, othersPercent: Math.max(0, (100 * taken) / Math.max(1, after.total - before.total)) };
}

/** Whether ratios of times say anything beside others that took so much. */
export function isDisturbed(othersPercent: number): boolean {
  return othersPercent > tolerablePercent;
}

/** For whoever reads a result that is unclear. */
export function explainDisturbance(othersPercent: number): string {
  return `Other programs took ${othersPercent.toFixed(0)} % of this machine's cores, and more than ${tolerablePercent} % makes times and their ratios say nothing. Run it again on a quiet machine.`;
}

/** Seconds of all cores together. What the kernel does for the network is on behalf of whoever uses it. */
async function readTimes(): Promise<{ readonly busy: number; readonly total: number; readonly ours: number }> {
  const [line = ''] = (await readFile('/proc/stat', 'utf8')).split('\n');
  const ticks = line.split(/\s+/).slice(1, 9).map(Number) as [number, number, number, number, number, number, number, number];
  const [user, nice, system, , , , , stolen] = ticks;
  const ours = (await processTreeCpuSeconds(process.pid)) + (await processTreeCpuSeconds(kernelThreads));
  return {
    busy: (user + nice + system + stolen) / clockTicksPerSecond,
    total: ticks.reduce((sum, each) => sum + each, 0) / clockTicksPerSecond,
    ours,
  };
}
