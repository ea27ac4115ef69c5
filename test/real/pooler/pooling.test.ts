import type { TLSSocket } from 'node:tls';

import type { Client } from 'pg';

import { poolerEnvironment } from '../../../lib/tier/pooler/pooler.contract';
import { pgbouncerSettingTypes } from '../../../lib/tier/pooler/pgbouncer-setting-catalogue';
import { replicaHosts } from '../../tier/pooler/pooler-stack';
import { password, PooledDatabases, users } from './pooled-databases';
import { PoolerProcess } from './pooler-process';

let databases: PooledDatabases;
let pooler: PoolerProcess;
beforeAll(async () => {
  databases = await PooledDatabases.start('127.33.2', { replica: true });
  // One server connection for each alias: who shares it can be seen.
  pooler = await PoolerProcess.start(
    '127.33.2.3',
    databases.environment({ poolSize: 4, readOnlyPoolSize: 4, maxTasks: 4 }),
  );
});
afterAll(async () => {
  await pooler?.stop();
  await databases?.stop();
});

async function withSession<Result>(
  user: string,
  database: string,
  use: (client: Client) => Promise<Result>,
): Promise<Result> {
  const client = await pooler.connect(user, password, database);
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

async function rows(client: Client, sql: string): Promise<Record<string, unknown>[]> {
  return (await client.query<Record<string, unknown>>(sql)).rows;
}

describe('a client of the pooler', () => {
  const whereAmI =
    'SELECT host(inet_server_addr()) AS address, pg_is_in_recovery() AS replica, current_user AS user, current_database() AS database';

  it('reaches the primary with a verifier of 256 iterations', async () => {
    const [row] = await withSession('bookedbarber_app', 'bookedbarber', (client) => rows(client, whereAmI));
    expect(row).toEqual({
      address: databases.primary.address,
      replica: false,
      user: 'bookedbarber_app',
      database: 'bookedbarber',
    });
  });

  it('reaches the replica by the read-only alias', async () => {
    const [row] = await withSession('bookedbarber_app', 'bookedbarber_ro', (client) => rows(client, whereAmI));
    expect(row).toEqual({
      address: databases.replica!.address,
      replica: true,
      user: 'bookedbarber_app',
      database: 'bookedbarber',
    });
  });

  it('reaches one of several replicas though another has vanished', async () => {
    const withTwo = await PoolerProcess.start('127.33.2.5', databases.environment({}, replicaHosts));
    const session = await withTwo.connect('bookedbarber_app', password, 'bookedbarber_ro');
    expect(await rows(session, whereAmI)).toMatchObject([{ address: databases.replica!.address }]);
    await session.end();
    await withTwo.stop();
  });

  it('shares a server connection with others, transaction by transaction', async () => {
    const sessions = await Promise.all(
      [1, 2, 3].map(() => pooler.connect('bookedbarber_app', password, 'bookedbarber')),
    );
    const backends = await Promise.all(sessions.map((session) => rows(session, 'SELECT pg_backend_pid() AS pid')));
    await Promise.all(sessions.map((session) => session.end()));
    expect(new Set(backends.map(([row]) => row!.pid)).size).toBe(1);
  });

  it('finds its prepared statement on whatever server connection it gets', async () => {
    const prepared = { name: 'add', text: 'SELECT $1::int + 1 AS sum, pg_backend_pid() AS pid' };
    await withSession('bookedbarber_app', 'bookedbarber', async (client) => {
      const add = async (value: number): Promise<unknown> => (await client.query({ ...prepared, values: [value] })).rows[0];
      const first = await add(1);
      expect(first).toMatchObject({ sum: 2 });
      // Closed by the pooler between transactions: one that the server ends is told to a client that is just using it.
      await withSession('pgbouncer_admin', 'pgbouncer', (admin) => admin.query('RECONNECT bookedbarber'));
      const second = await add(2);
      expect(second).toMatchObject({ sum: 3 });
      expect(second).not.toMatchObject({ pid: (first as { readonly pid: number }).pid });
    });
  });

  it('gets no session ticket, by which none would come again', async () => {
    const ticket = await withSession('bookedbarber_app', 'bookedbarber', async (client) => {
      await rows(client, 'SELECT 1'); // tickets come behind the handshake
      return (client as unknown as { readonly connection: { readonly stream: TLSSocket } }).connection.stream.getTLSTicket();
    });
    expect(ticket).toBeUndefined();
  });

  it('is refused without TLS', async () => {
    await expect(pooler.connect('bookedbarber_app', password, 'bookedbarber', { tls: false })).rejects.toThrow(
      'SSL required',
    );
  });

  it('is refused with a wrong password', async () => {
    await expect(pooler.connect('bookedbarber_app', 'wrong', 'bookedbarber')).rejects.toThrow(
      'SASL authentication failed',
    );
  });

  it('is refused if it is not in the userlist, although the database knows it', async () => {
    await expect(pooler.connect('bookedbarber_master', password, 'bookedbarber')).rejects.toThrow(
      'SASL authentication failed',
    );
  });

  it('is refused a database that has no alias', async () => {
    await expect(pooler.connect('bookedbarber_app', password, 'postgres')).rejects.toThrow(
      'no such database: postgres',
    );
  });
});

describe('the pooler', () => {
  it('comes to the databases over TLS, and only as those who came to it', async () => {
    await withSession('bookedbarber_app', 'bookedbarber', (client) => rows(client, 'SELECT 1'));
    const sessions = await databases.primary.query<{ usename: string; ssl: boolean }>(
      // Distinct: one that the pooler has closed may not have ended yet.
      "SELECT DISTINCT usename, ssl FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) WHERE datname = 'bookedbarber' AND application_name <> 'psql'",
    );
    expect(sessions).toEqual([{ usename: 'bookedbarber_app', ssl: true }]);
  });

  it('goes on with the server connections it has when its role may have no more, and keeps nobody else out', async () => {
    await databases.primary.query('ALTER ROLE bookedbarber_app CONNECTION LIMIT 1');
    const limited = await PoolerProcess.start('127.33.2.6', databases.environment({ poolSize: 16, maxTasks: 4 }));
    const connect = (user: string): Promise<Client> => limited.connect(user, password, 'bookedbarber');
    try {
      // The limit counts those that have not ended yet, too.
      await databases.primary.query("SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE usename = 'bookedbarber_app'");
      const [busy, waiting, other] = [await connect('bookedbarber_app'), await connect('bookedbarber_app'), await connect('bookedbarber_readonly')];
      await busy.query('BEGIN');
      const answer = waiting.query('SELECT 1 AS one');
      while (!limited.log.includes('too many connections for role "bookedbarber_app"')) await new Promise((resolve) => setTimeout(resolve, 50));
      expect(await rows(other, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      await busy.query('COMMIT');
      expect((await answer).rows).toEqual([{ one: 1 }]);
      await Promise.all([busy, waiting, other].map((session) => session.end()));
    } finally {
      await limited.stop();
      await databases.primary.query('ALTER ROLE bookedbarber_app CONNECTION LIMIT -1');
    }
  });

  it('does not talk to a database that shows the certificate of another', async () => {
    databases.resolver.set('impostor.internal', databases.primary.address);
    const line = databases.environment().PGBOUNCER_DATABASE_BOOKEDBARBER!.replace('primary.internal', 'impostor.internal');
    // The replicas' alias: a task looks at its primary before it starts, and would not start.
    const wary = await PoolerProcess.start('127.33.2.4', {
      ...databases.environment({ settings: { client_login_timeout: '1' } }),
      PGBOUNCER_DATABASE_BOOKEDBARBER_RO: line,
    });
    try {
      do await expect(wary.connect('bookedbarber_app', password, 'bookedbarber_ro')).rejects.toThrow();
      while (!wary.log.includes("name `impostor.internal' not present in server certificate"));
    } finally {
      await wary.stop();
    }
  });
});

describe('the admin console', () => {
  it.each(['pgbouncer_admin', 'pgbouncer_admin_alternate'])('obeys its administrator, %s', async (administrator) => {
    await withSession(administrator, 'pgbouncer', async (client) => {
      await client.query('PAUSE bookedbarber');
      await client.query('RESUME bookedbarber');
      expect(await rows(client, 'SHOW VERSION')).toEqual([{ version: 'PgBouncer 1.24.1' }]);
    });
  });

  it.each(['bookedbarber_collector', 'bookedbarber_collector_alternate'])('shows the collector, %s, everything, and lets it change nothing', async (collector) => {
    await withSession(collector, 'pgbouncer', async (client) => {
      expect((await rows(client, 'SHOW POOLS')).length).toBeGreaterThan(0);
      for (const command of ['PAUSE', 'RELOAD', 'SHUTDOWN', 'SET pool_mode = session', 'KILL_CLIENT 1']) {
        await expect(client.query(command)).rejects.toThrow('admin access needed');
      }
    });
  });

  it('is closed to everybody else whom the pooler knows, by the right password', async () => {
    const others = users.filter((user) => !/^(pgbouncer_admin|bookedbarber_collector)(_alternate)?$/.test(user));
    expect(others).toEqual(['bookedbarber_app', 'bookedbarber_app_alternate', 'bookedbarber_readonly']);
    for (const user of others) {
      await withSession(user, 'bookedbarber', (client) => rows(client, 'SELECT 1')); // it is the right one
      await expect(pooler.connect(user, password, 'pgbouncer')).rejects.toThrow('not allowed');
    }
  });

  it('shows every setting as the template has it', async () => {
    const config = await withSession('pgbouncer_admin', 'pgbouncer', (client) => rows(client, 'SHOW CONFIG'));
    const shown = new Map(config.map(({ key, value }) => [key, value]));
    const rendered = Object.entries(databases.environment()).flatMap(([name, value]) =>
      name.startsWith(poolerEnvironment.settingPrefix)
        ? [[name.slice(poolerEnvironment.settingPrefix.length).toLowerCase(), value] as const]
        : [],
    );
    expect(rendered.length).toBeGreaterThan(20);
    expect(rendered.map(([name]) => [name, shown.get(name)])).toEqual(rendered);
  });

  it('shows every alias with its share of the pool', async () => {
    const shown = await withSession('pgbouncer_admin', 'pgbouncer', (client) => rows(client, 'SHOW DATABASES'));
    const ours = shown.filter(({ name }) => name !== 'pgbouncer');
    expect(
      ours.map(({ name, host, pool_size, max_connections }) => ({ name, host, pool_size, max_connections })),
    ).toEqual([
      { name: 'bookedbarber', host: 'primary.internal', pool_size: 1, max_connections: 1 },
      { name: 'bookedbarber_ro', host: 'replica-1.internal', pool_size: 1, max_connections: 1 },
    ]);
  });

  it('knows exactly the settings of the catalogue', async () => {
    const config = await withSession('pgbouncer_admin', 'pgbouncer', (client) => rows(client, 'SHOW CONFIG'));
    const fileOfTheIni = 'conffile';
    expect(
      config
        .map(({ key }) => key)
        .filter((key) => key !== fileOfTheIni)
        .sort(),
    ).toEqual(Object.keys(pgbouncerSettingTypes).sort());
  });
});
