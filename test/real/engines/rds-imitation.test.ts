import { Client } from 'pg';

import { CertificateAuthority } from '../../../lib/rehearsal/engines/certificate-authority';
import { PostgresServer } from '../../../lib/rehearsal/engines/postgres-server';

const rds = { masterUsername: 'booked"barber', masterPassword: `it's a "secret" \\ 100 %`, databaseName: 'bookings' };
const loggingEverything = {
  shared_preload_libraries: 'pg_stat_statements',
  log_statement: 'all',
  log_min_duration_statement: '0',
  log_transaction_sample_rate: '1',
  fsync: 'off',
};
let authority: CertificateAuthority;
let server: PostgresServer;

beforeAll(async () => {
  authority = await CertificateAuthority.create('authority of the test');
  server = await PostgresServer.start({
    address: '127.31.1.1',
    hostName: 'primary.internal',
    parameters: loggingEverything,
    tls: authority,
    rds,
  });
});
afterAll(() => server?.stop());

async function asMaster<Result>(
  work: (session: Client) => Promise<Result>,
  options: object = { ssl: { ca: authority.certificatePem } },
): Promise<Result> {
  const { masterUsername: user, masterPassword: password, databaseName: database } = rds;
  const session = new Client({ host: server.address, port: server.port, user, password, database, ...options });
  await session.connect();
  try {
    return await work(session);
  } finally {
    await session.end();
  }
}
const whoami = async (session: Client): Promise<unknown> => (await session.query('SELECT session_user AS name')).rows;
const master = [{ name: rds.masterUsername }];

describe('the master', () => {
  it('is no superuser and cannot make itself one', async () => {
    await asMaster(async (session) => {
      const { rows } = await session.query(
        'SELECT rolsuper, rolreplication, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user',
      );
      expect(rows).toEqual([
        { rolsuper: false, rolreplication: false, rolbypassrls: false, rolcreaterole: true, rolcreatedb: true },
      ]);
      await expect(session.query('ALTER ROLE current_user SUPERUSER')).rejects.toThrow(
        'permission denied to alter role',
      );
      await expect(session.query('SET ROLE rdsadmin')).rejects.toThrow('permission denied to set role "rdsadmin"');
    });
  });

  it('sees neither password hashes nor files', async () => {
    await asMaster(async (session) => {
      await expect(session.query('SELECT rolpassword FROM pg_authid')).rejects.toThrow(
        'permission denied for table pg_authid',
      );
      await expect(session.query('SELECT passwd FROM pg_shadow')).rejects.toThrow(
        'permission denied for view pg_shadow',
      );
      await expect(session.query("SELECT pg_read_file('postgresql.conf')")).rejects.toThrow(
        'permission denied for function pg_read_file',
      );
      await expect(session.query("COPY (SELECT 1) TO PROGRAM 'true'")).rejects.toThrow(
        'permission denied to COPY to or from an external program',
      );
    });
  });

  it('owns the first database, and has what rds_superuser has', async () => {
    await asMaster(async (session) => {
      const { rows } = await session.query<Record<string, boolean>>(
        `SELECT pg_get_userbyid(datdba) = current_user AS owns, pg_has_role('pg_monitor', 'USAGE') AS monitors,
                pg_has_role('pg_signal_backend', 'USAGE') AS signals, pg_has_role('rds_superuser', 'MEMBER WITH ADMIN OPTION') AS passes_on
         FROM pg_database WHERE datname = current_database()`,
      );
      expect(rows).toEqual([{ owns: true, monitors: true, signals: true, passes_on: true }]);
      await session.query('CHECKPOINT');
    });
  });

  it('makes roles, passes on its monitoring, and cannot touch roles that it did not make', async () => {
    await server.query('CREATE ROLE of_somebody_else LOGIN');
    await asMaster(async (session) => {
      await session.query('CREATE ROLE collector LOGIN IN ROLE pg_monitor');
      await session.query("ALTER ROLE collector PASSWORD 'changed'");
      await expect(session.query("ALTER ROLE of_somebody_else PASSWORD 'changed'")).rejects.toThrow(
        'permission denied to alter role',
      );
    });
  });

  it('creates the extensions that RDS lets it, and no others', async () => {
    await asMaster(async (session) => {
      for (const extension of [
        'pg_stat_statements',
        'pgstattuple',
        'pg_buffercache',
        'pg_trgm',
        'btree_gist',
        'btree_gin',
      ]) {
        await session.query(`CREATE EXTENSION ${extension}`);
      }
      expect((await session.query('SELECT count(*) > 0 AS filled FROM pg_stat_statements')).rows).toEqual([
        { filled: true },
      ]);
      await expect(session.query('CREATE EXTENSION file_fdw')).rejects.toThrow(
        'permission denied to create extension "file_fdw"',
      );
    });
  });

  it('has a password that neither the log nor pg_stat_statements knows', async () => {
    await server.query('CREATE EXTENSION pg_stat_statements');
    const statements = await server.query<{ query: string }>('SELECT query FROM pg_stat_statements');
    expect(server.logTail(200)).toContain('CREATE EXTENSION pg_stat_statements');
    expect(statements.length).toBeGreaterThan(0);
    for (const text of [server.logTail(200), ...statements.map(({ query }) => query)]) {
      expect(text).not.toContain('secret');
      expect(text).not.toContain('rds_replication');
    }
  });
});

describe('a login', () => {
  it('without TLS is refused', async () => {
    await expect(asMaster(whoami, {})).rejects.toThrow(/^no pg_hba.conf entry for .*, no encryption$/);
  });

  it('meets a certificate of the authority, for the name and the address', async () => {
    expect(await asMaster(whoami, { ssl: { ca: authority.certificatePem, servername: 'primary.internal' } })).toEqual(
      master,
    );
    expect(await asMaster(whoami, { ssl: { ca: authority.certificatePem } })).toEqual(master);
    await expect(
      asMaster(whoami, { ssl: { ca: authority.certificatePem, servername: 'another.internal' } }),
    ).rejects.toThrow("Hostname/IP does not match certificate's altnames");
    const { certificatePem } = await CertificateAuthority.create('authority of the test');
    await expect(asMaster(whoami, { ssl: { ca: certificatePem } })).rejects.toThrow(/certificate/);
  });

  it('without TLS is let in where rds.force_ssl is off', async () => {
    const open = await PostgresServer.start({ address: '127.31.1.2', parameters: { 'rds.force_ssl': '0' }, rds });
    try {
      expect(await asMaster(whoami, { host: open.address })).toEqual(master);
    } finally {
      await open.stop();
    }
  });

  it('that nobody could make is seen at the start', async () => {
    await expect(PostgresServer.start({ address: '127.31.1.3', rds })).rejects.toThrow(
      'as on RDS, nobody could log in to a server without TLS: give it "tls", or the parameter rds.force_ssl = 0',
    );
  });
});
