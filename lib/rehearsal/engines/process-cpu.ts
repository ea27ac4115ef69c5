import { readdir, readFile } from 'node:fs/promises';

/** USER_HZ, which Linux fixes for everything that it shows to programs. https://man7.org/linux/man-pages/man7/time.7.html */
const ticksPerSecond = 100;

/**
 * User and system CPU seconds of a process and its children; children that it has waited for count too.
 *
 * @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
 */
export async function processTreeCpuSeconds(pid: number): Promise<number> {
  const stats = (await Promise.all((await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(readStat))).filter(
    (stat) => stat !== undefined,
  );
  const ticks = stats
    .filter((stat) => stat.pid === pid || stat.parentPid === pid)
    .reduce((sum, stat) => sum + stat.ownTicks + (stat.pid === pid ? stat.reapedTicks : 0), 0);
  return ticks / ticksPerSecond;
}

interface Stat {
  readonly pid: number;
  readonly parentPid: number;
  readonly ownTicks: number;
  readonly reapedTicks: number;
}

async function readStat(pid: string): Promise<Stat | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The program's name, in parentheses, may hold anything; what follows it is numbers.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const [utime, stime, cutime, cstime] = fields.slice(11, 15).map(Number) as [number, number, number, number];
    return { pid: Number(pid), parentPid: Number(fields[1]), ownTicks: utime + stime, reapedTicks: cutime + cstime };
  } catch {
    return undefined; // it ended meanwhile
  }
}
