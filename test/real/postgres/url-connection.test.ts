import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { connectionOf } from '../../../lib/postgres/url-connection';
import { CertificateAuthority } from '../../../lib/rehearsal/engines/certificate-authority';
import { PostgresServer } from '../../../lib/rehearsal/engines/postgres-server';

/** The same address, by a name that does not stand in the certificate. */
const otherName = '127.35.1793';
const password = "s3cret/p'ass@word";
let server: PostgresServer;
let directory: string;
let ca: string;
let otherCa: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'url-connection-'));
  [ca, otherCa] = [join(directory, 'ca.pem'), join(directory, 'other.pem')];
  const authority = await CertificateAuthority.create('its own');
  await writeFile(ca, authority.certificatePem);
  await writeFile(otherCa, (await CertificateAuthority.create('another')).certificatePem);
  server = await PostgresServer.start({ address: '127.35.7.1', hostName: 'primary.internal', tls: authority, parameters: { fsync: 'off' } });
  await server.query(`CREATE ROLE visitor LOGIN PASSWORD '${password.replace("'", "''")}'`);
});
afterAll(async () => {
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

interface Attempt {
  readonly query?: string;
  readonly host?: string;
  readonly user?: string;
  readonly ca?: string;
  readonly environment?: NodeJS.ProcessEnv;
}

/** Whether the session is encrypted, or why there is none. */
async function attempt({ query = '', host = server.address, user = `visitor:${encodeURIComponent(password)}`, ...options }: Attempt): Promise<boolean | string> {
  try {
    const session = await connectionOf(`postgresql://${user}@${host}:5432/postgres${query}`, { applicationName: 'test', ...options }).connect();
    const { rows } = await session.query<{ ssl: boolean }>('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
    await session.end();
    return rows[0]!.ssl;
  } catch (error) {
    return (error as Error).message;
  }
}

describe('a connection by URL', () => {
  it.each<[string, Attempt, RegExp]>([
    ['nothing', {}, /^true$/],
    ['disable', { query: '?sslmode=disable' }, /^false$/],
    ['require', { query: '?sslmode=require' }, /^true$/],
    ['require with the authority, which is verify-ca', { query: '?sslmode=require', get ca() { return ca; } }, /^true$/],
    ['require with another authority', { query: '?sslmode=require', get ca() { return otherCa; } }, /^127\.35\.7\.1:5432: unable to verify|^127\.35\.7\.1:5432: self-signed certificate.*; its authority is not the one that was named$/],
    ['verify-ca with the authority, by another name', { host: otherName, get query() { return `?sslmode=verify-ca&sslrootcert=${ca}`; } }, /^true$/],
    ['verify-ca with another authority', { get query() { return `?sslmode=verify-ca&sslrootcert=${otherCa}`; } }, /certificate/],
    ['verify-full with the authority', { get query() { return `?sslmode=verify-full&sslrootcert=${ca}`; } }, /^true$/],
    ['verify-full with the authority, by another name', { host: otherName, get query() { return `?sslmode=verify-full&sslrootcert=${ca}`; } }, /^127\.35\.1793:5432: .*altnames.*; connect by a name that stands in it$/],
    ['verify-full without an authority', { query: '?sslmode=verify-full' }, /^127\.35\.7\.1:5432: .*certificate.*; name its authority with sslrootcert or --ca$/],
    ['an authority and no mode, which is verify-full', { host: otherName, get ca() { return ca; } }, /altnames/],
    ['a mode in the environment', { environment: { PGSSLMODE: 'disable' } }, /^false$/],
    ['an authority in the environment', { query: '?sslmode=verify-ca', get environment() { return { PGSSLROOTCERT: ca }; } }, /^true$/],
    ['the authorities of this machine', { query: '?sslrootcert=system' }, /certificate/],
    ['a file that does not exist', { query: '?sslmode=verify-ca&sslrootcert=/nowhere.pem' }, /^sslrootcert \/nowhere\.pem cannot be read: ENOENT$/],
  ])('with %s does what psql does', async (_name, options, expected) => {
    expect(String(await attempt(options))).toMatch(expected);
  }); // prettier-ignore

  it('that fails says where and why, and never the password', async () => {
    const outcomes = await Promise.all([
      attempt({ user: 'visitor:s3cret' }),
      attempt({ host: '127.35.7.99' }),
      attempt({ user: 'visitor' }),
      attempt({ host: 'bad host' }),
    ]);
    expect(outcomes).toEqual([
      '127.35.7.1:5432: password authentication failed for user "visitor"',
      'connect ECONNREFUSED 127.35.7.99:5432',
      '127.35.7.1:5432: it asks for a password: put it into PGPASSWORD or ~/.pgpass',
      expect.stringMatching(/^the URL cannot be read; it looks like postgresql:/),
    ]);
    expect(outcomes.join()).not.toContain('s3cret');
  });
});
