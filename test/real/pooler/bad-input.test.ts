import { createPrivateKey } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { CertificateAuthority } from '../../../lib/rehearsal/engines/certificate-authority';
import { poolerEnvironment } from '../../../lib/tier/pooler/pooler.contract';
import { templateEnvironment, userlist, users } from './pooled-databases';
import { PoolerProcess } from './pooler-process';

const { userlist: userlistVariable, clientTlsCertificate, clientTlsKey, runDirectory, serverTlsCaFile, requiredDatabases, drainSeconds, waitSeconds } = poolerEnvironment;

let environment: Readonly<Record<string, string>>;
let certificate: { readonly certificatePem: string; readonly privateKeyPem: string };
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bad-input-'));
  await chmod(directory, 0o755);
  await mkdir(join(directory, 'full'));
  await chmod(join(directory, 'full'), 0o777);
  await symlink('/dev/full', join(directory, 'full/userlist.txt.new'));
  environment = {
    ...templateEnvironment(),
    [serverTlsCaFile]: join(__dirname, '../../../assets/pgbouncer/rds-ca.pem'),
  };
  certificate = await (await CertificateAuthority.create('the team')).issue(['pooler.internal'], []);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

function encrypted(privateKeyPem: string): string {
  return String(createPrivateKey(privateKeyPem).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'hunter2' }));
}

async function exitOf(change: NodeJS.ProcessEnv): Promise<{ readonly code: number | null; readonly log: string }> {
  const pooler = await PoolerProcess.launch('127.33.1.5', { ...environment, ...change });
  try {
    return { code: await pooler.exitCode, log: pooler.log };
  } finally {
    await pooler.stop();
  }
}

describe('the entrypoint refuses to start', () => {
  const md5 = `md5${'0'.repeat(32)}`;
  it.each<[string, () => NodeJS.ProcessEnv, string]>([
    [
      'with a plain password in the userlist',
      () => ({ [userlistVariable]: `${userlist}"report" "hunter2"\n` }),
      'PGBOUNCER_USERLIST has something other than a SCRAM verifier for "report"; store what PostgreSQL stores, neither a password nor an md5 hash',
    ],
    [
      'with a password of quotes in the userlist',
      () => ({ [userlistVariable]: '"report" "hunter2""\'""hunter2"' }),
      'PGBOUNCER_USERLIST has something other than a SCRAM verifier for "report"; store what PostgreSQL stores, neither a password nor an md5 hash',
    ],
    [
      'with a password of several lines in the userlist',
      () => ({ [userlistVariable]: `${userlist}"report" "hunter2\nhunter2"` }),
      `user ${users.length + 1} of PGBOUNCER_USERLIST is not on a line "user" "SCRAM-SHA-256$…"; correct the secret`,
    ],
    [
      'with an md5 hash in the userlist',
      () => ({ [userlistVariable]: `"odd ""name" "${md5}"` }),
      'PGBOUNCER_USERLIST has something other than a SCRAM verifier for "odd ""name"; store what PostgreSQL stores, neither a password nor an md5 hash',
    ],
    [
      'with something that is no userlist',
      () => ({ [userlistVariable]: '{"username":"report","password":"hunter2"}' }),
      'user 1 of PGBOUNCER_USERLIST is not on a line "user" "SCRAM-SHA-256$…"; correct the secret',
    ],
    [
      'with an empty userlist',
      () => ({ [userlistVariable]: '\n' }),
      'PGBOUNCER_USERLIST is empty: nobody could log in; the bootstrap of roles fills the secret',
    ],
    [
      'without a userlist',
      () => ({ [userlistVariable]: undefined }),
      'PGBOUNCER_USERLIST is empty: nobody could log in; the bootstrap of roles fills the secret',
    ],
    [
      'without a database',
      () => ({ PGBOUNCER_DATABASE_BOOKEDBARBER: undefined, PGBOUNCER_DATABASE_BOOKEDBARBER_RO: undefined }),
      'no variable PGBOUNCER_DATABASE_<ALIAS> is set; there is nothing to connect to',
    ],
    [
      'with a line break in a setting',
      () => ({ PGBOUNCER_SETTING_SERVER_RESET_QUERY: 'DISCARD ALL\nauth_type = any' }),
      'PGBOUNCER_SETTING_SERVER_RESET_QUERY holds a line break, which cannot stand in an ini',
    ],
    [
      'without a run directory',
      () => ({ [runDirectory]: '/nowhere' }),
      'run directory /nowhere cannot be written to; mount a volume there that belongs to user ',
    ],
    [
      'without the authorities of the databases',
      () => ({ [serverTlsCaFile]: '/nowhere.pem' }),
      "the databases' certificate authorities, /nowhere.pem, cannot be read",
    ],
    [
      'with a drain that is no number',
      () => ({ [drainSeconds]: 'soon' }),
      'PGBOUNCER_DRAIN_SECONDS is "soon", not a whole number from 0 to 99999; correct it',
    ],
    [
      'with a number that begins with 0',
      () => ({ [waitSeconds]: '08' }),
      'PGBOUNCER_WAIT_SECONDS is "08", not a whole number from 0 to 99999; correct it',
    ],
    [
      'with fewer clients than none, which PgBouncer would take',
      () => ({ PGBOUNCER_SETTING_MAX_CLIENT_CONN: '-5' }),
      'PGBOUNCER_SETTING_MAX_CLIENT_CONN is "-5", not a whole number from 1 to 999999999; correct it',
    ],
    [
      'with a port that does not exist, of which PgBouncer would take another',
      () => ({ PGBOUNCER_SETTING_LISTEN_PORT: '99999' }),
      'PGBOUNCER_SETTING_LISTEN_PORT is "99999", not a whole number from 1 to 65535; correct it',
    ],
    [
      'with a database that is empty',
      () => ({ PGBOUNCER_DATABASE_BOOKEDBARBER_RO: '' }),
      'PGBOUNCER_DATABASE_BOOKEDBARBER_RO names no host; it should read host=… port=… dbname=…',
    ],
    [
      'with a database that has no name',
      () => ({ PGBOUNCER_DATABASE_: 'host=primary.internal' }),
      'PGBOUNCER_DATABASE_ ends in no name of capital letters, digits and underscores; correct or remove it',
    ],
    [
      'with a verifier that was cut short, which lets nobody in',
      () => ({ [userlistVariable]: '"report" "SCRAM-SHA-256$4096:c2FsdA==$aHVudGVyMg==:aHVudGVyMg=="' }),
      'PGBOUNCER_USERLIST has something other than a SCRAM verifier for "report"; store what PostgreSQL stores, neither a password nor an md5 hash',
    ],
    [
      'with a user who is there twice, of which PgBouncer would take one',
      () => ({ [userlistVariable]: `${userlist}${userlist}` }),
      'PGBOUNCER_USERLIST has "bookedbarber_app" twice; remove one of the two',
    ],
    [
      'with a name that PgBouncer would leave out',
      () => ({ [userlistVariable]: userlist.replace('bookedbarber_app"', `${'a'.repeat(200)}"`) }),
      'user 1 of PGBOUNCER_USERLIST has a name of 200 characters; PostgreSQL has none of more than 63',
    ],
    [
      'with a run directory that is full',
      () => ({ [runDirectory]: join(directory, 'full') }),
      'userlist.txt cannot be written: No space left on device',
    ],
    [
      'with more clients than files may be open',
      () => ({ PGBOUNCER_SETTING_MAX_CLIENT_CONN: '10000000' }),
      'max_client_conn is 10000000, but only ',
    ],
    [
      'with a certificate that is none',
      () => ({ [clientTlsCertificate]: 'x', [clientTlsKey]: certificate.privateKeyPem }),
      'PGBOUNCER_CLIENT_TLS_CERT is not a certificate in PEM form',
    ],
    [
      'with a key that is encrypted',
      () => ({ [clientTlsCertificate]: certificate.certificatePem, [clientTlsKey]: encrypted(certificate.privateKeyPem) }),
      'PGBOUNCER_CLIENT_TLS_KEY is not an unencrypted private key in PEM form',
    ],
    [
      'with a certificate but no key',
      () => ({ [clientTlsCertificate]: certificate.certificatePem }),
      'PGBOUNCER_CLIENT_TLS_KEY is not an unencrypted private key in PEM form',
    ],
  ])('%s', async (_title, change, message) => {
    const { code, log } = await exitOf(change());
    expect({ code, lines: log.split('\n').length }).toEqual({ code: 1, lines: 1 });
    expect(log).toMatch(/^entrypoint: /);
    expect(log).toContain(message);
    expect(log).not.toMatch(new RegExp(`hunter2|${md5}`));
  });

  it('with a certificate that does not match its key', async () => {
    const other = await (await CertificateAuthority.create('the team')).issue(['pooler.internal'], []);
    const { code, log } = await exitOf({
      [clientTlsCertificate]: certificate.certificatePem,
      [clientTlsKey]: other.privateKeyPem,
    });
    expect({ code, log }).toEqual({
      code: 1,
      log: 'entrypoint: PGBOUNCER_CLIENT_TLS_CERT and PGBOUNCER_CLIENT_TLS_KEY do not belong together',
    });
  });

  it('with a setting that PgBouncer refuses, naming it', async () => {
    const { code, log } = await exitOf({ PGBOUNCER_SETTING_POOL_MODE: 'sometimes' });
    expect(code).toBe(1);
    expect(log).toMatch(
      /^entrypoint: PgBouncer refuses its settings: invalid value "sometimes" for parameter pool_mode in .*; correct the variable PGBOUNCER_SETTING_… or PGBOUNCER_DATABASE_… of that name$/,
    );
  });

  it('with a database that is required but not there', async () => {
    const { code, log } = await exitOf({ [requiredDatabases]: 'ledger' });
    expect({ code, log }).toEqual({
      code: 1,
      log: 'entrypoint: PGBOUNCER_REQUIRED_DATABASES names ledger, but no variable PGBOUNCER_DATABASE_LEDGER is set',
    });
  });
});
