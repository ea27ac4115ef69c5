import type { Client } from 'pg';

import type { PoolMetric } from './metric-catalogue';

/** What one task tells of one pool. */
export interface PoolReading {
  readonly alias: string;
  readonly clientsActive: number;
  readonly clientsWaiting: number;
  readonly longestWaitSeconds: number;
  readonly serversAtWork: number;
  readonly mostServers: number;
  readonly transactionsPerSecond: number;
  readonly averageQueryMs: number;
}

export interface TaskReading {
  readonly clients: number;
  readonly pools: readonly PoolReading[];
}

type Row = Readonly<Record<string, string>>;

/**
 * Reads the admin console of one task.
 *
 * @see https://www.pgbouncer.org/usage.html#show-commands
 */
export async function readTask(console: Client): Promise<TaskReading> {
  // The console takes the simple protocol only, and one command at a time.
  const show = async (what: string): Promise<readonly Row[]> => (await console.query<Row>(`SHOW ${what}`)).rows;
  const pools = await show('POOLS');
  const statistics = await show('STATS_AVERAGES');
  const databases = await show('DATABASES');
  const lists = await show('LISTS');
  const aliases = databases.map(({ name }) => name!).filter((name) => name !== 'pgbouncer');
  return {
    clients: Number(lists.find(({ list }) => list === 'used_clients')?.items ?? 0),
    pools: aliases.map((alias) => {
      const ofAlias = pools.filter(({ database }) => database === alias);
      const sum = (column: string): number => ofAlias.reduce((total, row) => total + Number(row[column] ?? 0), 0);
      const averages = statistics.find(({ database }) => database === alias);
      return {
        alias,
        clientsActive: sum('cl_active'),
        clientsWaiting: sum('cl_waiting'),
        longestWaitSeconds: Math.max(0, ...ofAlias.map(({ maxwait, maxwait_us }) => Number(maxwait) + Number(maxwait_us) / 1e6)),
        serversAtWork: sum('sv_active'),
        mostServers: Number(databases.find(({ name }) => name === alias)?.max_connections ?? 0),
        transactionsPerSecond: Number(averages?.xact_count ?? 0),
        averageQueryMs: Number(averages?.query_time ?? 0) / 1000,
      };
    }),
  };
}

/** One pool over every task that answered. */
export function poolTotals(tasks: readonly TaskReading[]): ReadonlyMap<string, Readonly<Record<PoolMetric, number>>> {
  const aliases = [...new Set(tasks.flatMap(({ pools }) => pools.map(({ alias }) => alias)))].sort();
  return new Map(
    aliases.map((alias) => {
      const pools = tasks.flatMap((task) => task.pools.filter((pool) => pool.alias === alias));
      const sum = (figure: (pool: PoolReading) => number): number => pools.reduce((total, pool) => total + figure(pool), 0);
      const transactions = sum(({ transactionsPerSecond }) => transactionsPerSecond);
      return [
        alias,
        {
          ClientsActive: sum(({ clientsActive }) => clientsActive),
          ClientsWaiting: sum(({ clientsWaiting }) => clientsWaiting),
          LongestClientWait: Math.max(...pools.map(({ longestWaitSeconds }) => longestWaitSeconds)),
          PoolUse: (100 * sum(({ serversAtWork }) => serversAtWork)) / Math.max(1, sum(({ mostServers }) => mostServers)),
          TransactionsPerSecond: transactions,
          // A task that does little says little about the rest.
          AverageQueryTime: transactions === 0 ? 0 : sum((pool) => pool.averageQueryMs * pool.transactionsPerSecond) / transactions,
        },
      ];
    }),
  );
}
