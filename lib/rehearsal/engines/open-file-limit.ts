import { readFile } from 'node:fs/promises';

/**
 * How many files a process may have open.
 *
 * @param pid undefined is one that is started here
 * @see https://man7.org/linux/man-pages/man5/proc_pid_limits.5.html
 */
export async function openFileLimit(pid?: number): Promise<number> {
  const limits = await readFile(`/proc/${pid ?? 'self'}/limits`, 'utf8');
  const [, soft] = /^Max open files\s+(\S+)/m.exec(limits) ?? [];
  return soft === undefined || soft === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(soft);
}
