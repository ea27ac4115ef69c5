import type { Bench } from './bench';
import { poolerStatistics } from './pooler-statistics';

/** What has happened so far, at the database and in the pooler's tasks. */
export interface SessionCount {
  readonly serverSessions: number;
  readonly transactions: number;
}

/** How many server sessions a load took. */
export interface Reuse {
  readonly newSessions: number;
  readonly transactions: number;
  readonly percent: number;
}

export async function countSessions(bench: Pick<Bench, 'tier' | 'connections'>): Promise<SessionCount> {
  const { transactions } = await poolerStatistics(bench.connections, bench.tier.pooler.tasks.length);
  return { serverSessions: await serverSessions(bench), transactions };
}

/** Sessions that the database has had so far. */
export async function serverSessions({ tier, connections }: Pick<Bench, 'tier' | 'connections'>): Promise<number> {
  const { database } = connections.readWrite;
  const [row] = await tier.databases.primary.server.query<{ sessions: string }>('SELECT sessions FROM pg_stat_database WHERE datname = $1', [database]);
  return Number(row?.sessions);
}

/** Share of the transactions that found a server session open. */
export function reuseBetween(before: SessionCount, after: SessionCount): Reuse {
  const newSessions = after.serverSessions - before.serverSessions;
  const transactions = after.transactions - before.transactions;
  return { newSessions, transactions, percent: 100 * (1 - newSessions / transactions) };
}
