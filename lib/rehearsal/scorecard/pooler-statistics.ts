import { Client } from 'pg';

import type { Connections } from '../connections';
import { clientConfig } from '../load/client-config';
import type { LoadTarget } from '../load/pgbench';
import type { RunningSetting } from './setting-differences';

/** Sums over every task of the pooler, its consoles apart. */
export interface PoolerStatistics {
  /** Transactions since the tasks started. */
  readonly transactions: number;
  /** Clients that are logged in now, those that wait included. */
  readonly clients: number;
  readonly clientsWaiting: number;
  readonly serversBusy: number;
  /** Open, and in no transaction. */
  readonly serversIdle: number;
}

type PoolRow = Readonly<Record<'cl_active' | 'cl_waiting' | 'sv_active' | 'sv_active_cancel' | 'sv_being_canceled' | 'sv_idle' | 'sv_used' | 'sv_tested' | 'sv_login', string | number>> & { readonly database: string };

/**
 * The admin console of every task, kept open: a login for each look would be work for the pooler that is measured.
 *
 * @see https://www.pgbouncer.org/usage.html#show-commands
 */
export class PoolerConsoles {
  private constructor(private readonly sessions: readonly Client[]) {}

  /** The caller ends them. */
  static async open(connections: Connections, tasks: number): Promise<PoolerConsoles> {
    return new PoolerConsoles(await Promise.all(Array.from({ length: tasks }, (_, task) => openConsole(connections.consoleOf(task)))));
  }

  async statistics(): Promise<PoolerStatistics> {
    const each = await Promise.all(this.sessions.map(taskStatistics));
    const sum = (key: keyof PoolerStatistics): number => each.reduce((total, statistics) => total + statistics[key], 0);
    return { transactions: sum('transactions'), clients: sum('clients'), clientsWaiting: sum('clientsWaiting'), serversBusy: sum('serversBusy'), serversIdle: sum('serversIdle') };
  }

  /** What each task runs with. */
  async configurations(): Promise<readonly (readonly RunningSetting[])[]> {
    return Promise.all(this.sessions.map(async (session) => (await session.query<{ key: string; value: string }>('SHOW CONFIG')).rows.map(({ key, value }) => ({ name: key, value: value ?? '' }))));
  }

  async end(): Promise<void> {
    await Promise.all(this.sessions.map((session) => session.end()));
  }
}

/** Looks at every task once. */
export async function poolerStatistics(connections: Connections, tasks: number): Promise<PoolerStatistics> {
  const consoles = await PoolerConsoles.open(connections, tasks);
  try {
    return await consoles.statistics();
  } finally {
    await consoles.end();
  }
}

async function openConsole(target: LoadTarget): Promise<Client> {
  const session = new Client(clientConfig(target));
  // Without a listener, a task that ends would end this process.
  session.on('error', () => undefined);
  await session.connect();
  return session;
}

/** The console takes the simple protocol only, and one command at a time. */
async function taskStatistics(session: Client): Promise<PoolerStatistics> {
  const totals = await session.query<{ database: string; xact_count: string }>('SHOW STATS_TOTALS');
  const pools = (await session.query<PoolRow>('SHOW POOLS')).rows.filter(isOfADatabase);
  const sum = (...columns: readonly Exclude<keyof PoolRow, 'database'>[]): number => pools.reduce((total, pool) => total + columns.reduce((ofPool, column) => ofPool + Number(pool[column]), 0), 0);
  return {
    transactions: totals.rows.filter(isOfADatabase).reduce((total, row) => total + Number(row.xact_count), 0),
    clients: sum('cl_active', 'cl_waiting'),
    clientsWaiting: sum('cl_waiting'),
    serversBusy: sum('sv_active', 'sv_active_cancel', 'sv_being_canceled'),
    serversIdle: sum('sv_idle', 'sv_used', 'sv_tested', 'sv_login'),
  };
}

function isOfADatabase({ database }: { readonly database: string }): boolean {
  return database !== 'pgbouncer';
}
