import { readFile } from 'node:fs/promises';

import type { TierUnderRehearsal } from '../lib/rehearsal/deployment/tier-under-rehearsal';
import { FailedProgram, run } from '../lib/rehearsal/engines/child';
import { processTree } from '../lib/rehearsal/engines/process-cpu';

/**
 * Gives the databases the first half of this machine's cores, and everything else the other half, clients and pooler too:
 * in production the database has a machine of its own. Sharing the cores, the pooler would take from the database what it
 * needs itself, and a ratio would tell nothing but that.
 *
 * @returns who has which, for whoever reads the figures
 */
export async function giveDatabasesTheirCores({ databases }: TierUnderRehearsal): Promise<string> {
  const cores = await allowedCores();
  if (cores.length < 2) return 'one core for the database, the pooler and the clients together';
  const [ofDatabases, ofOthers] = [cores.slice(0, cores.length / 2), cores.slice(cores.length / 2)];
  const postgres = new Set((await Promise.all(databases.instances.map(({ server }) => processTree(server.pid)))).flat());
  for (const pid of await processTree(process.pid)) await keepOn(postgres.has(pid) ? ofDatabases : ofOthers, pid);
  return `${ofDatabases.length} of ${cores.length} cores for the databases alone, on either side; clients and pooler share the others`;
}

/** https://man7.org/linux/man-pages/man5/proc_pid_status.5.html */
async function allowedCores(): Promise<readonly number[]> {
  const [, list = ''] = /^Cpus_allowed_list:\s+(\S+)/m.exec(await readFile('/proc/self/status', 'utf8')) ?? [];
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number) as [number, number?];
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** With all of its threads, and what it starts from now on. */
async function keepOn(cores: readonly number[], pid: number): Promise<void> {
  await run({ command: 'taskset', args: ['--all-tasks', '--cpu-list', '--pid', cores.join(','), String(pid)] }).catch((error: unknown) => {
    if (!(error instanceof FailedProgram && error.message.includes('No such process'))) throw error; // it has ended
  });
}
