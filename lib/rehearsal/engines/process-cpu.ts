import { readdir, readFile } from 'node:fs/promises';

/** USER_HZ, which Linux fixes for everything that it shows to programs. https://man7.org/linux/man-pages/man7/time.7.html */
export const clockTicksPerSecond = 100;

/**
 * User and system CPU seconds of a process and all that it has started; children that were waited for count too.
 *
 * @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
 */
export async function processTreeCpuSeconds(pid: number): Promise<number> {
  const ticks = (await readTree(pid)).reduce((sum, stat) => sum + stat.ticks, 0);
  return ticks / clockTicksPerSecond;
}

/** The process and all that it has started, as far as they run. */
export async function processTree(pid: number): Promise<readonly number[]> {
  return (await readTree(pid)).map((stat) => stat.pid);
}

async function readTree(pid: number): Promise<readonly Stat[]> {
  const all = (await Promise.all((await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(readStat))).filter((stat) => stat !== undefined);
  const tree = new Set([pid]);
  // A set is walked to its end, with what is added on the way.
  for (const parent of tree) for (const stat of all) if (stat.parentPid === parent) tree.add(stat.pid);
  return all.filter((stat) => tree.has(stat.pid));
}

interface Stat {
  readonly pid: number;
  readonly parentPid: number;
  /** Its own, and those of children that it has waited for. */
  readonly ticks: number;
}

async function readStat(pid: string): Promise<Stat | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The program's name, in parentheses, may hold anything; what follows it is numbers.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { pid: Number(pid), parentPid: Number(fields[1]), ticks: fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) };
  } catch {
    return undefined; // it ended meanwhile
  }
}
