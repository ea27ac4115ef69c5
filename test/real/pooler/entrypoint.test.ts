import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { CertificateAuthority } from '../../../lib/rehearsal/engines/certificate-authority';
import { run } from '../../../lib/rehearsal/engines/child';
import { debianTools } from '../../../lib/rehearsal/engines/debian-tools';
import { poolerEnvironment } from '../../../lib/tier/pooler/pooler.contract';
import { scramVerifier } from '../../../lib/tier/roles/scram-verifier';
import { prepareLoginStorm } from './login-storm';
import { templateEnvironment, userlist, users } from './pooled-databases';
import { PoolerProcess } from './pooler-process';

const address = '127.33.1.1';
const {
  userlist: userlistVariable,
  clientTlsCertificate,
  clientTlsKey,
  runDirectory,
  serverTlsCaFile,
  requiredDatabases,
  drainSeconds,
  waitSeconds,
  binary,
} = poolerEnvironment;

async function exitOf(change: NodeJS.ProcessEnv): Promise<{ readonly code: number | null; readonly log: string }> {
  const pooler = await PoolerProcess.launch(address, { ...environment, ...change });
  try {
    return { code: await pooler.exitCode, log: pooler.log };
  } finally {
    await pooler.stop();
  }
}

let environment: Readonly<Record<string, string>>;
let certificate: { readonly certificatePem: string; readonly privateKeyPem: string };
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'entrypoint-'));
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

describe('a running entrypoint', () => {
  let pooler: PoolerProcess;
  beforeEach(async () => {
    pooler = await PoolerProcess.start(address, environment);
  });
  afterEach(() => pooler.stop());

  it('keeps its files to itself', async () => {
    for (const file of ['pgbouncer.ini', 'userlist.txt', 'client.key']) {
      expect((await stat(join(pooler.runDirectory, file))).mode & 0o777).toBe(0o600);
    }
  });

  it('hands PgBouncer neither the userlist nor anything else that is secret', async () => {
    const inherited = await readFile(`/proc/${await pooler.pgbouncerPid()}/environ`, 'utf8');
    expect(inherited).toContain('PGBOUNCER_SETTING_POOL_MODE=transaction');
    expect(inherited).not.toMatch(/SCRAM|PGBOUNCER_USERLIST=|PGBOUNCER_CLIENT_TLS/);
  });

  it('writes the ini sorted, each key once', async () => {
    const ini = await readFile(join(pooler.runDirectory, 'pgbouncer.ini'), 'utf8');
    const [databases, settings] = ini.split('\n\n').map((section) =>
      section
        .trim()
        .split('\n')
        .map((line) => line.split(' = ')[0]!),
    );
    expect(databases).toEqual(['[databases]', 'bookedbarber', 'bookedbarber_ro']);
    expect(settings!.slice(1)).toEqual([...new Set(settings!.slice(1))].sort());
    expect(settings).toHaveLength(new Set(settings).size);
  });

  it('writes the ini again on SIGHUP', async () => {
    const ini = join(pooler.runDirectory, 'pgbouncer.ini');
    const before = await readFile(ini, 'utf8');
    await writeFile(ini, 'tampered with');
    pooler.signal('SIGHUP');
    await until(async () => (await readFile(ini, 'utf8')) === before && pooler.log.includes('got SIGHUP'));
    await expect(pooler.checkHealth()).resolves.toBeDefined();
  });

  it('takes PgBouncer with it when it is killed', async () => {
    const pgbouncer = await pooler.pgbouncerPid();
    pooler.signal('SIGKILL');
    await until(() => !isRunning(pgbouncer));
    expect(isRunning(pgbouncer)).toBe(false);
  });

  it('ends when PgBouncer does, with its exit code', async () => {
    process.kill(await pooler.pgbouncerPid(), 'SIGKILL');
    expect(await pooler.exitCode).toBe(137);
    expect(pooler.log).toMatch(/PgBouncer ended with exit code 137$/);
  });
});

describe('a signal that comes while PgBouncer starts', () => {
  /** PgBouncer that takes its time, once its entrypoint has got a signal. */
  async function startWith(signal: 'HUP' | 'TERM' | 'INT'): Promise<PoolerProcess> {
    const slow = join(directory, `slow-${signal}`);
    await writeFile(slow, `#!/bin/sh\ncase $1 in */pgbouncer.ini) kill -${signal} $PPID; sleep 0.3 ;; esac\nexec "\${PGBOUNCER_RUN_DIRECTORY%/run}/pgbouncer" "$@"\n`, { mode: 0o755 });
    return PoolerProcess.launch(address, { ...environment, [binary]: slow, [drainSeconds]: '0' });
  }

  it('HUP, does not end it', async () => {
    const pooler = await startWith('HUP');
    try {
      await until(async () => pooler.checkHealth().then(() => true, () => pooler.log.includes('ended')));
      expect(pooler.log).toMatch(/process up/);
    } finally {
      await pooler.stop();
    }
  });

  it.each(['TERM', 'INT'] as const)('%s, is obeyed as soon as it can be', async (signal) => {
    const pooler = await startWith(signal);
    try {
      expect(await pooler.exitCode).toBe(0);
      expect(pooler.log).toMatch(/finishing: nobody is let in[^]*got SIGINT, shutting down/);
    } finally {
      await pooler.stop();
    }
  });
});

describe('the health check', () => {
  it('passes while PgBouncer answers, fails while it is frozen and passes again, whatever the database does', async () => {
    const pooler = await PoolerProcess.start(address, environment);
    try {
      await expect(pooler.checkHealth()).resolves.toEqual({ stdout: '', stderr: '' });
      const pgbouncer = await pooler.pgbouncerPid();
      process.kill(pgbouncer, 'SIGSTOP');
      await expect(pooler.checkHealth()).rejects.toThrow('exit code 1');
      process.kill(pgbouncer, 'SIGCONT');
      await expect(pooler.checkHealth()).resolves.toBeDefined();
      expect(pooler.log).not.toMatch(/WARNING|unexpected eof/); // a line every 5 s would bury the others
    } finally {
      await pooler.stop();
    }
  });

  it('passes while PgBouncer is too busy with log-ins to answer', async () => {
    const { openssl } = await debianTools();
    const [key, crt] = [join(directory, 'slow.key'), join(directory, 'slow.crt')];
    // With such a key, some hundred handshakes take as long as thousands with the usual one.
    await run({ command: openssl.command, args: [...openssl.args, 'req', '-x509', '-newkey', 'rsa:4096', '-noenc', '-days', '1', '-subj', '/CN=pooler', '-keyout', key, '-out', crt], environment: { OPENSSL_CONF: '/dev/null' } });
    const pooler = await PoolerProcess.start(address, { ...environment, [clientTlsCertificate]: await readFile(crt, 'utf8'), [clientTlsKey]: await readFile(key, 'utf8') });
    /** Whether the check, which succeeds, had an answer while so many log in. */
    const answersAmid = async (clients: number): Promise<boolean> => {
      const storm = await prepareLoginStorm(address, clients);
      try {
        await pooler.checkHealth(); // it has answered before
        const answeredAt = async (): Promise<number> => (await stat(join(pooler.runDirectory, 'answered'))).mtimeMs;
        const before = await answeredAt();
        storm.begin();
        await expect(pooler.checkHealth()).resolves.toBeDefined();
        return (await answeredAt()) !== before;
      } finally {
        storm.end();
      }
    };
    try {
      // How many are too many depends on the machine.
      for (let clients = 600; await answersAmid(clients); ) clients *= 2;
    } finally {
      await pooler.stop();
    }
  });

  it('believes for a minute in one that works without an answer', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(6432, '127.33.1.3', resolve));
    const working = spawn('sh', ['-c', 'while :; do :; done']);
    const pooler = await PoolerProcess.launch('127.33.1.3', { ...environment, [userlistVariable]: '' });
    const answered = join(pooler.runDirectory, 'answered');
    const answeredBefore = (seconds: number): Promise<void> => utimes(answered, new Date(), new Date(Date.now() - seconds * 1000));
    try {
      await writeFile(answered, '');
      await writeFile(join(pooler.runDirectory, 'pgbouncer.pid'), `${working.pid}`, { mode: 0o644 });
      await answeredBefore(50);
      await expect(pooler.checkHealth()).resolves.toBeDefined();
      await answeredBefore(70);
      await expect(pooler.checkHealth()).rejects.toThrow(/failed/);
    } finally {
      working.kill('SIGKILL');
      silent.close();
      await pooler.stop();
    }
  });

  it('fails where nobody listens', async () => {
    const pooler = await PoolerProcess.launch('127.33.1.2', { ...environment, [userlistVariable]: '' });
    await pooler.exitCode;
    await expect(pooler.checkHealth()).rejects.toThrow(/Connection refused/);
    await pooler.stop();
  });
});

it('accepts a verifier of any number of iterations', async () => {
  const one = scramVerifier({ password: 'x', iterations: 1 });
  const pooler = await PoolerProcess.start(address, { ...environment, [userlistVariable]: `"a" "${one}"` });
  await expect(pooler.checkHealth()).resolves.toBeDefined();
  await pooler.stop();
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}
