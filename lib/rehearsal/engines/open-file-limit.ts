import { readFile } from 'node:fs/promises';

/**
 * How many files a process that is started here may have open.
 *
 * @see https://man7.org/linux/man-pages/man5/proc_pid_limits.5.html
 */
export async function openFileLimit(): Promise<number> {
  const limits = await readFile('/proc/self/limits', 'utf8');
  const [, soft] = /^Max open files\s+(\S+)/m.exec(limits) ?? [];
  return soft === undefined || soft === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(soft);
}
