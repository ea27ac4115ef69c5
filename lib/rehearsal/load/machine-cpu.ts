import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';

/** From this share on, the machine had nothing left to give. */
const saturatedShare = 0.9;

/** How busy this machine was, with whatever ran on it. */
export interface MachineUse {
  /** Of all cores over the time. */
  readonly busyShare: number;
  /** Nearly every core was busy throughout. */
  readonly saturated: boolean;
  /**
   * At least one core's worth was. Work of one client that waits for each answer runs on one core at a time, so this is
   * all that it can use, and only a faster core makes it faster.
   */
  readonly oneCoreSaturated: boolean;
}

/**
 * Watches the cores while something runs.
 *
 * @see https://man7.org/linux/man-pages/man5/proc_stat.5.html
 */
export async function whileWatchingCpu<Result>(work: () => Promise<Result>): Promise<MachineUse & { readonly result: Result }> {
  const before = await readTimes();
  const result = await work();
  const after = await readTimes();
  const busyShare = (after.busy - before.busy) / Math.max(1, after.total - before.total);
  return { result, busyShare, saturated: busyShare >= saturatedShare, oneCoreSaturated: busyShare * cpus().length >= saturatedShare };
}

async function readTimes(): Promise<{ readonly busy: number; readonly total: number }> {
  const [line = ''] = (await readFile('/proc/stat', 'utf8')).split('\n');
  const times = line.split(/\s+/).slice(1, 9).map(Number);
  const total = times.reduce((sum, time) => sum + time, 0);
  const [, , , idle = 0, waiting = 0] = times;
  return { busy: total - idle - waiting, total };
}
