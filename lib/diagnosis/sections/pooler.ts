import type { Client } from 'pg';

import type { Row, SectionHead, SectionName } from '../diagnosis';

type Shown = Readonly<Record<string, string>>;

export interface PoolerSection extends SectionHead {
  /** SHOW commands of the admin console, in the order of `rows`' arguments. */
  readonly show: readonly string[];
  readonly rows: (...shown: readonly (readonly Shown[])[]) => readonly Row[];
}

const console = 'pgbouncer';
const task = { key: 'task', title: 'task' } as const;
const database = { key: 'database', title: 'database' } as const;
const user = { key: 'user', title: 'user' } as const;

/**
 * What the admin console of a task is asked.
 *
 * @see https://www.pgbouncer.org/usage.html#show-commands
 */
export const poolerSections: readonly PoolerSection[] = [
  {
    name: 'pools',
    title: 'Pools',
    about: 'Clients and server connections of each pool of each task. Servers at most: what all users of a database may open together.',
    columns: [
      task,
      database,
      user,
      { key: 'clientsActive', title: 'clients', format: 'count' },
      { key: 'clientsWaiting', title: 'waiting', format: 'count' },
      { key: 'longestWaitSeconds', title: 'longest wait', format: 'seconds' },
      { key: 'serversActive', title: 'servers at work', format: 'count' },
      { key: 'serversIdle', title: 'idle', format: 'count' },
      { key: 'serversMost', title: 'at most', format: 'count' },
      { key: 'mode', title: 'mode' },
    ],
    show: ['POOLS', 'DATABASES'],
    rows: (pools = [], databases = []) =>
      pools
        .filter((pool) => pool.database !== console)
        .map((pool) => ({
          database: pool.database!,
          user: pool.user!,
          clientsActive: Number(pool.cl_active),
          clientsWaiting: Number(pool.cl_waiting),
          longestWaitSeconds: waitOf(pool),
          serversActive: Number(pool.sv_active),
          serversIdle: ['sv_idle', 'sv_used', 'sv_tested', 'sv_login'].reduce((sum, column) => sum + Number(pool[column] ?? 0), 0),
          serversMost: Number(databases.find(({ name }) => name === pool.database)?.max_connections ?? 0) || null,
          mode: pool.pool_mode!,
        })),
  },
  {
    name: 'pooler-clients',
    title: 'Clients of the pooler',
    about: 'SHOW CLIENTS, counted.',
    columns: [task, database, user, { key: 'application', title: 'application' }, { key: 'state', title: 'state' }, { key: 'clients', title: 'clients', format: 'count' }, { key: 'longestWaitSeconds', title: 'longest wait', format: 'seconds' }],
    show: ['CLIENTS'],
    rows: (clients = []) =>
      counted(
        clients.filter((client) => client.database !== console),
        (client) => ({ database: client.database!, user: client.user!, application: client.application_name || null, state: client.state! }),
        (group) => ({ clients: group.length, longestWaitSeconds: Math.max(...group.map((client) => (client.state === 'waiting' ? waitOf(client) : 0))) }),
      ),
  },
  {
    name: 'pooler-servers',
    title: 'Server connections of the pooler',
    about: 'SHOW SERVERS, counted.',
    columns: [task, database, user, { key: 'address', title: 'instance' }, { key: 'state', title: 'state' }, { key: 'tls', title: 'TLS' }, { key: 'servers', title: 'servers', format: 'count' }],
    show: ['SERVERS'],
    rows: (servers = []) =>
      counted(
        servers,
        (server) => ({ database: server.database!, user: server.user!, address: server.addr!, state: server.state!, tls: server.tls?.split('/')[0] || 'none' }),
        (group) => ({ servers: group.length }),
      ),
  },
];

/**
 * Reads the sections of one task.
 *
 * @param onRows told of each section as soon as it is read: a console that freezes half-way keeps what it has said
 */
export async function readConsole(session: Client, wanted: ReadonlySet<SectionName>, onRows: (section: SectionName, rows: readonly Row[]) => void): Promise<void> {
  for (const { name, show, rows } of poolerSections) {
    if (!wanted.has(name)) continue;
    const shown: (readonly Shown[])[] = [];
    // The console takes the simple protocol only, and one command at a time.
    for (const what of show) shown.push((await session.query<Shown>(`SHOW ${what}`)).rows);
    onRows(name, rows(...shown));
  }
}

function waitOf(row: Shown): number {
  const [seconds, microseconds] = 'maxwait' in row ? [row.maxwait, row.maxwait_us] : [row.wait, row.wait_us];
  return Number(seconds ?? 0) + Number(microseconds ?? 0) / 1e6;
}

/** One row for each group that looks the same, the largest first. */
function counted(rows: readonly Shown[], looks: (row: Shown) => Row, figures: (group: readonly Shown[]) => Row): readonly Row[] {
  const groups = new Map<string, Shown[]>();
  for (const row of rows) {
    const key = JSON.stringify(looks(row));
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].sort((a, b) => b.length - a.length).map((group) => ({ ...looks(group[0]!), ...figures(group) }));
}
