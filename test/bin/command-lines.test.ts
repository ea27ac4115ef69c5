import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { assertWritableDirectory, assertWritableFile } from '../../bin/writable';

function call(command: string, args: readonly string[], env = process.env): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    execFile('node', ['-r', 'ts-node/register/transpile-only', `${command}.ts`, ...args], { cwd: join(__dirname, '../..'), env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

let directory: string;
beforeAll(() => (directory = mkdtempSync(join(tmpdir(), 'command-lines-'))));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('a command line', () => {
  it.each([
    ['bin/capacity', ['--json', '--yaml'], `error: unknown option '--yaml'; see "npm run capacity -- --help"`],
    ['bin/rehearse', ['--quik'], `error: unknown option '--quik'. (Did you mean --quick?); see "npm run rehearse -- --help"`],
    ['bin/indexes', ['plan'], `error: required option '-u, --url <url>' not specified; see "npm run indexes -- --help"`],
    ['bench/synth', ['--environment', 'nowhere'], `error: option '--environment <name>' argument 'nowhere' is invalid. Allowed choices are development, staging, production; see "npm run bench:synth -- --help"`],
    ['bench/indexes', ['--parameter', 'wal_compression'], `error: option '--parameter <name=value...>' argument 'wal_compression' is invalid. "wal_compression" is not name=value; see "npm run bench:indexes -- --help"`],
  ])('%s that is called with %j says what is wrong in one line, and ends with 2', async (command, args, message) => {
    expect(await call(command, args)).toEqual({ code: 2, stdout: '', stderr: `${message}\n` });
  });

  it('has help of its subcommands that tells of URLs and exit codes too', async () => {
    const { code, stdout } = await call('bin/indexes', ['status', '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('A password may stand in PGPASSWORD or ~/.pgpass');
    expect(stdout).toContain('Exit codes: 0 ');
  });

  it.each([
    ['bin/rehearse', ['drill', 'all', '--report', '/etc/hostname/report'], 'the rehearsal could not run: /etc/hostname/report cannot be written: /etc/hostname is no directory; name another one with --report\n'],
    ['bin/application-kit', ['--out', '/etc/hostname'], 'the application kit could not be written: /etc/hostname cannot be written: /etc/hostname is no directory; name another one with --out\n'],
    ['bin/review', ['HEAD', '--markdown', '/nowhere/review.md'], 'the change could not be reviewed: /nowhere/review.md cannot be written: there is no directory /nowhere; make it, or name another file with --markdown\n'],
  ])('%s that is called with %j says before it begins that it could not write', async (command, args, stderr) => {
    expect(await call(command, args)).toEqual({ code: 2, stdout: '', stderr });
  });

  it('says in the words of the app alone why nothing was synthesized', async () => {
    expect(await call('bin/application-kit', ['--environment', 'nowhere', '--out', join(directory, 'kit')])).toEqual({
      code: 2,
      stdout: '',
      stderr: 'synthesizing nowhere\nthe application kit could not be written: cdk synth failed (exit code 1): there is no environment "nowhere"; lib/config/environments.ts has development, staging, production\n',
    });
  });

  it('says what this machine lacks to ask a deployed environment, and nothing else', async () => {
    const { PATH } = process.env;
    const ask = (variables: Readonly<Record<string, string>>) => call('bin/diagnose', ['production'], { PATH, HOME: directory, AWS_EC2_METADATA_DISABLED: 'true', ...variables });
    expect(await ask({})).toMatchObject({ code: 2, stderr: '0:00 Asking production\nproduction could not be looked at: no AWS region is known; set AWS_REGION, or region of production in lib/config/environments.ts\n' });
    expect(await ask({ AWS_REGION: 'eu-central-1' })).toMatchObject({
      code: 2,
      stderr: '0:00 Asking production\nproduction could not be looked at: no AWS credentials are found (Could not load credentials from any providers); set AWS_PROFILE to a profile that has some, or sign in to it\n',
    });
  });

  it('names the option of a file that cannot be read', async () => {
    const stderr = 'the database could not be looked at: --ca /nowhere.pem cannot be read: ENOENT\n';
    expect(await call('bin/indexes', ['plan', '--url', 'postgresql://user@127.0.0.1:1/bookedbarber', '--ca', '/nowhere.pem'])).toEqual({ code: 2, stdout: '', stderr });
  });

  it('refuses the console of a pooler where it wants a database', async () => {
    const stderr = 'the database could not be looked at: database pgbouncer is the admin console of a pooler; give the URL of the primary itself\n';
    expect(await call('bin/indexes', ['plan', '--url', 'postgresql://user@127.0.0.1:1/pgbouncer'])).toEqual({ code: 2, stdout: '', stderr });
  });

  it.each([
    ['pools,instances', 'postgresql://user@127.0.0.1:1/bookedbarber', 'pools: only the admin console of a pooler tells; add its --url, with database pgbouncer'],
    ['pools,instances', 'postgresql://user@127.0.0.1:1/pgbouncer', 'instances: only a database tells; add its --url, with another database than pgbouncer'],
  ])('asks nobody for sections of which nobody could tell: %s of %s', async (sections, url, message) => {
    expect(await call('bin/diagnose', ['--only', sections, '--url', url])).toEqual({ code: 2, stdout: '', stderr: `the database could not be looked at: ${message}\n` });
  });

  it('is not troubled by a reader that has had enough', async () => {
    const { stdout, stderr } = await new Promise<{ stdout: string; stderr: string }>((resolve) => {
      execFile('bash', ['-c', 'set -o pipefail; node -r ts-node/register/transpile-only bin/capacity.ts | true; echo $?'], { cwd: join(__dirname, '../..') }, (_error, out, err) => resolve({ stdout: out, stderr: err }));
    });
    expect({ stdout, stderr }).toEqual({ stdout: '0\n', stderr: '' });
  });
});

describe('what is to be written', () => {
  it('may be a directory whose parents are not there, and a file that is or is not', () => {
    const file = join(directory, 'file');
    writeFileSync(file, '');
    expect(() => assertWritableDirectory(join(directory, 'a/b/c'), '--out')).not.toThrow();
    expect(() => assertWritableFile(file, '--markdown')).not.toThrow();
    expect(() => assertWritableFile(join(directory, 'new'), '--markdown')).not.toThrow();
    expect(() => assertWritableFile(directory, '--markdown')).toThrow(`${directory} cannot be written: it is a directory; name another file with --markdown`);
  });

  it('may not be where this user has no rights', async () => {
    const locked = join(directory, 'locked');
    mkdirSync(locked, { mode: 0o555 });
    chmodSync(directory, 0o755);
    // Root may write anywhere.
    const program = `const { assertWritableDirectory } = require('./bin/writable'); if (process.getuid() === 0) process.setuid(65534); try { assertWritableDirectory('${locked}/report', '--report') } catch (error) { console.log(error.message) }`;
    const said = await new Promise<string>((resolve) => {
      execFile('node', ['-r', 'ts-node/register/transpile-only', '-e', program], { cwd: join(__dirname, '../..') }, (_error, stdout, stderr) => resolve(stdout + stderr));
    });
    expect(said).toBe(`${locked}/report cannot be written: ${locked} may not be changed by this user (EACCES); name another directory with --report\n`);
  });
});
