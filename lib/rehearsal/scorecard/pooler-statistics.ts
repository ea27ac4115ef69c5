import { Client } from 'pg';

import type { Connections } from '../connections';
import type { LoadTarget } from '../load/pgbench';

/** Sums over every task of the pooler. */
export interface PoolerStatistics {
  /** Transactions since the tasks started. */
  readonly transactions: number;
  /** Clients that are logged in now. */
  readonly clients: number;
}

/**
 * Reads SHOW STATS_TOTALS and SHOW LISTS of every task.
 *
 * @see https://www.pgbouncer.org/usage.html#show-commands
 */
export async function poolerStatistics(connections: Connections, tasks: number): Promise<PoolerStatistics> {
  const each = await Promise.all(Array.from({ length: tasks }, (_, task) => taskStatistics(connections.consoleOf(task))));
  return {
    transactions: each.reduce((sum, { transactions }) => sum + transactions, 0),
    clients: each.reduce((sum, { clients }) => sum + clients, 0),
  };
}

async function taskStatistics({ addresses, port, database, user, password }: LoadTarget): Promise<PoolerStatistics> {
  const client = new Client({ host: addresses[0], port, database, user, password, ssl: { rejectUnauthorized: false } });
  await client.connect();
  try {
    // The console takes the simple protocol only, and one command at a time.
    const totals = await client.query<{ database: string; xact_count: string }>('SHOW STATS_TOTALS');
    const lists = await client.query<{ list: string; items: number }>('SHOW LISTS');
    const transactions = totals.rows.filter((row) => row.database !== 'pgbouncer').reduce((sum, row) => sum + Number(row.xact_count), 0);
    return { transactions, clients: Number(lists.rows.find(({ list }) => list === 'used_clients')?.items ?? 0) };
  } finally {
    await client.end();
  }
}
