import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { untilListening } from '../lib/rehearsal/deployment/pooler-task';
import type { TierUnderRehearsal } from '../lib/rehearsal/deployment/tier-under-rehearsal';
import { Child } from '../lib/rehearsal/engines/child';
import { debianTools } from '../lib/rehearsal/engines/debian-tools';
import { unprivilegedUid } from '../lib/rehearsal/engines/unprivileged-user';

const sampledEveryMs = 100;

/**
 * Memory that clients take in a fresh process with the settings of a task, MB for each 1,000 of them.
 *
 * @param tls as in the template, or without it
 * @param work connects them all to the address
 */
export async function measureClientMemory(tier: TierUnderRehearsal, clients: number, tls: boolean, work: (address: string) => Promise<void>): Promise<number> {
  const { address, process } = await startAnother(tier, tls);
  try {
    const idle = await residentMB(process.pid);
    let most = idle;
    const sampling = setInterval(() => void residentMB(process.pid).then((now) => (most = Math.max(most, now))), sampledEveryMs);
    try {
      await work(address);
    } finally {
      clearInterval(sampling);
    }
    return (most - idle) / (clients / 1000);
  } finally {
    await process.stop('SIGKILL');
  }
}

async function startAnother(tier: TierUnderRehearsal, tls: boolean): Promise<{ readonly address: string; readonly process: Child }> {
  const { port } = tier.pooler.tasks[0]!;
  const directory = join(tier.site.directory, 'task-1', 'run');
  const address = tier.site.addresses.next();
  const settings = await readFile(join(directory, 'pgbouncer.ini'), 'utf8');
  const path = join(directory, `${address}.ini`);
  const own = settings.replace(/^listen_addr = .*$/m, `listen_addr = ${address}`).replace(/^unix_socket_dir = .*$/m, 'unix_socket_dir =');
  await writeFile(path, tls ? own : own.replace(/^client_tls_.*$/gm, ''), { mode: 0o644 });
  const { pgbouncer } = await debianTools();
  const process = new Child({ name: `pooler ${address}`, command: pgbouncer.command, args: [...pgbouncer.args, path], uid: unprivilegedUid });
  tier.site.teardown.defer(`pooler ${address}`, () => process.stop('SIGKILL'));
  await untilListening(process, address, port);
  return { address, process };
}

/** https://man7.org/linux/man-pages/man5/proc_pid_status.5.html */
async function residentMB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return (Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024) / 1e6;
}
