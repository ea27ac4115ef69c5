import { existsSync } from 'node:fs';

import { Client } from 'pg';

import { CertificateAuthority } from '../../../lib/rehearsal/engines/certificate-authority';
import { PostgresServer } from '../../../lib/rehearsal/engines/postgres-server';

const master = { user: 'master', password: "it's \\ a password" };
let authority: CertificateAuthority;
let server: PostgresServer;

beforeAll(async () => {
  authority = await CertificateAuthority.create('test');
  server = await PostgresServer.start({
    address: '127.31.0.1',
    hostName: 'primary.internal',
    parameters: { shared_preload_libraries: 'pg_stat_statements', work_mem: '5MB', 'rds.force_ssl': '1' },
    tls: authority,
    rds: { masterUsername: master.user, masterPassword: master.password, databaseName: 'bookedbarber' },
  });
});
afterAll(() => server?.stop());

async function asMaster(options: object = { ssl: { ca: authority.certificatePem, servername: 'primary.internal' } }): Promise<Client> {
  const client = new Client({ host: server.address, port: server.port, database: 'bookedbarber', ...master, ...options });
  await client.connect();
  return client;
}

describe('a server that imitates RDS', () => {
  it('runs with the parameters it was given', async () => {
    expect(await server.query("SELECT name, setting, unit FROM pg_settings WHERE name IN ('work_mem', 'shared_preload_libraries') ORDER BY 1")).toEqual([
      { name: 'shared_preload_libraries', setting: 'pg_stat_statements', unit: null },
      { name: 'work_mem', setting: '5120', unit: 'kB' },
    ]);
  });

  it('gives the master neither superuser rights nor password hashes, but extensions and roles', async () => {
    const client = await asMaster();
    try {
      expect((await client.query('SELECT rolsuper FROM pg_roles WHERE rolname = current_user')).rows).toEqual([{ rolsuper: false }]);
      await expect(client.query('SELECT rolpassword FROM pg_authid')).rejects.toThrow('permission denied for table pg_authid');
      await client.query('CREATE EXTENSION pg_stat_statements');
      await client.query('CREATE ROLE made_by_master');
    } finally {
      await client.end();
    }
  });

  it('refuses who does not encrypt, and shows a certificate of the authority under its name', async () => {
    await expect(asMaster({})).rejects.toThrow('no encryption');
    await expect(asMaster({ ssl: { ca: authority.certificatePem, servername: 'another.internal' } })).rejects.toThrow(/does not match certificate's altnames/);
    const other = await CertificateAuthority.create('other');
    await expect(asMaster({ ssl: { ca: other.certificatePem, servername: 'primary.internal' } })).rejects.toThrow(/certificate/);
  });

  it('streams to a standby, which refuses writes', async () => {
    const standby = await server.startStandby({ address: '127.31.0.2', hostName: 'replica.internal', parameters: { shared_preload_libraries: 'pg_stat_statements' } });
    try {
      await server.query('CREATE TABLE streamed AS SELECT 42 AS answer');
      const [position] = await server.query<{ lsn: string }>('SELECT pg_current_wal_lsn()::text AS lsn');
      while (!(await standby.query<{ there: boolean }>('SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS there', [position!.lsn]))[0]!.there);
      expect(await standby.query('SELECT answer FROM streamed')).toEqual([{ answer: 42 }]);
      await expect(standby.query('DELETE FROM streamed')).rejects.toThrow('cannot execute DELETE in a read-only transaction');
    } finally {
      await standby.stop();
    }
  });

  it('counts the CPU of its processes, also of those that ended', async () => {
    const before = await server.cpuSeconds();
    await server.query('SELECT sum(sqrt(n)) FROM generate_series(1, 5000000) AS n');
    expect((await server.cpuSeconds()) - before).toBeGreaterThan(0.1);
  });
});

describe('a server that cannot start', () => {
  it('says why with the end of its log, and leaves nothing behind', async () => {
    const failure = await PostgresServer.start({ address: '127.31.0.3', parameters: { work_mem: 'banana' } }).catch((error: Error) => error);
    expect(failure).toBeInstanceOf(Error);
    const { message } = failure as Error;
    expect(message).toMatch(/^PostgreSQL 127\.31\.0\.3 did not start on 127\.31\.0\.3:5432; the end of its log:\n.*invalid value for parameter "work_mem": "banana"/s);
    const [, directory] = /"(\/[^"]+)\/data\/postgresql.conf"/.exec(message)!;
    expect(existsSync(directory!)).toBe(false);
  });
});
