import { Client } from 'pg';

import type { Connections } from '../connections';
import type { TierUnderRehearsal } from '../deployment/tier-under-rehearsal';
import { clientConfig } from '../load/client-config';
import type { LoadTarget } from '../load/pgbench';
import type { DrillScene } from './drill';

/** A session of a client that neither waits for ever nor ends this process. The caller ends it. */
export async function connectTo(target: LoadTarget): Promise<Client> {
  const client = new Client({ ...clientConfig(target), connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** Gives an admin console commands, one after another, and returns the last one's rows. */
export async function commandConsole<Row extends object>(console: LoadTarget, ...commands: readonly string[]): Promise<readonly Row[]> {
  const client = await connectTo(console);
  try {
    let rows: readonly Row[] = [];
    for (const command of commands) rows = (await client.query<Row & Record<string, unknown>>(command)).rows;
    return rows;
  } finally {
    await client.end();
  }
}

/** A task of the pooler, reached past the balancer as the application would reach it through it. */
export function applicationAt({ connections, tier }: DrillScene, task: number): LoadTarget {
  return { ...connections.readWrite, addresses: [tier.pooler.tasks[task]!.address] };
}

/**
 * Leaves a task room for so many clients more, until the end of the drill: to fill what the template allows would take
 * more of this machine than the pooler.
 */
export async function leaveRoomFor(clients: number, { connections, defer, mark }: DrillScene, task: number): Promise<void> {
  const console = connections.consoleOf(task);
  const settings = await commandConsole<{ key: string; value: string }>(console, 'SHOW CONFIG');
  const allowed = settings.find(({ key }) => key === 'max_client_conn')!.value;
  const lists = await commandConsole<{ list: string; items: number }>(console, 'SHOW LISTS');
  const used = Number(lists.find(({ list }) => list === 'used_clients')!.items) - 1; // this console is gone by then
  await commandConsole(console, `SET max_client_conn = ${used + clients}`);
  mark('note', `max_client_conn of one task goes from ${allowed} to the ${used} clients that it has, and ${clients} more`);
  defer('max_client_conn', async () => {
    await retried(() => commandConsole(console, `SET max_client_conn = ${allowed}`));
  });
}

/** Which task the balancer sends each of its addresses to. */
export async function taskOfEachHost(tier: TierUnderRehearsal, connections: Connections): Promise<readonly string[]> {
  const { addresses } = connections.readWrite;
  return Promise.all(
    addresses.map(async (address) => {
      const rows = await commandConsole<{ application_name: string; local_addr: string; state: string; database: string }>({ ...connections.consoleOf(0), addresses: [address] }, 'SHOW CLIENTS');
      const own = rows.find(({ database }) => database === 'pgbouncer');
      if (!own || !tier.pooler.tasks.some((task) => task.address === own.local_addr)) throw new Error(`no task of the pooler is behind ${address}`);
      return own.local_addr;
    }),
  );
}

/** The console itself may be refused while the limit is reached. */
async function retried(act: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await act();
      return;
    } catch (error) {
      if (attempt === 20) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}
