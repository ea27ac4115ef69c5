import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { run } from '../../../lib/rehearsal/engines/child';
import { debianTools } from '../../../lib/rehearsal/engines/debian-tools';
import { poolerEnvironment } from '../../../lib/tier/pooler/pooler.contract';
import { prepareLoginStorm } from './login-storm';
import { templateEnvironment } from './pooled-databases';
import { PoolerProcess } from './pooler-process';

const address = '127.33.1.4';
const { userlist: userlistVariable, clientTlsCertificate, clientTlsKey, serverTlsCaFile } = poolerEnvironment;

let environment: Readonly<Record<string, string>>;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'health-check-'));
  environment = {
    ...templateEnvironment(),
    [serverTlsCaFile]: join(__dirname, '../../../assets/pgbouncer/rds-ca.pem'),
  };
});
afterAll(() => rm(directory, { recursive: true, force: true }));

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
      await writeFile(join(pooler.runDirectory, 'pgbouncer.pid'), `${working.pid}`, { mode: 0o644 });
      await expect(pooler.checkHealth()).rejects.toThrow(/failed \(exit code 1\)[^a-z]*$/); // it never answered; nothing else is wrong
      await writeFile(answered, '');
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
