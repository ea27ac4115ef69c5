import { readFile } from 'node:fs/promises';

/** From this share on, the machine had nothing left to give. */
const saturatedShare = 0.9;

/**
 * Share of all cores' time that was busy while something ran, 0 to 1.
 *
 * @see https://man7.org/linux/man-pages/man5/proc_stat.5.html
 */
export async function whileWatchingCpu<Result>(work: () => Promise<Result>): Promise<{ readonly result: Result; readonly saturated: boolean }> {
  const before = await readTimes();
  const result = await work();
  const after = await readTimes();
  const busyShare = (after.busy - before.busy) / Math.max(1, after.total - before.total);
  return { result, saturated: busyShare >= saturatedShare };
}

async function readTimes(): Promise<{ readonly busy: number; readonly total: number }> {
  const [line = ''] = (await readFile('/proc/stat', 'utf8')).split('\n');
  const times = line.split(/\s+/).slice(1, 9).map(Number);
  const total = times.reduce((sum, time) => sum + time, 0);
  const [, , , idle = 0, waiting = 0] = times;
  return { busy: total - idle - waiting, total };
}
