import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { run } from '../../lib/rehearsal/engines/child';
import { poolerEnvironment } from '../../lib/tier/pooler/pooler.contract';
import { password, PooledDatabases } from '../real/pooler/pooled-databases';
import { poolerTemplate } from '../tier/pooler/pooler-stack';
import { ContainerEngine } from './container-engine';
import { type Architecture, machineArchitecture } from './debian-base';
import { PoolerContainer, type PoolerContainerOptions } from './pooler-container';
import { buildPoolerImages } from './pooler-image';

const address = '127.33.60.3';
const secrets = /SCRAM-SHA-256\$|PRIVATE KEY|hunter2/;
const seconds = (count: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, count * 1000));

let engine: ContainerEngine;
let images: Readonly<Record<Architecture, string>>;
let databases: PooledDatabases;
beforeAll(async () => {
  engine = await ContainerEngine.start();
  images = await buildPoolerImages(engine);
  databases = await PooledDatabases.start('127.33.60', { replica: false });
});
afterAll(async () => {
  await databases?.stop();
  await engine?.stop();
});

/** What the template says about the container. */
function definition(): {
  readonly HealthCheck: { readonly Command: readonly string[] };
  readonly StopTimeout: number;
} {
  const [task] = Object.values(poolerTemplate().findResources('AWS::ECS::TaskDefinition'));
  return task!.Properties.ContainerDefinitions[0];
}

/** Names are in its hosts file: neither of this machine's own ways to look them up is in the image. */
function options(change: Readonly<Record<string, string>> = {}): PoolerContainerOptions {
  const ofThisMachine: readonly string[] = [poolerEnvironment.resolvConf, poolerEnvironment.lookup];
  const environment = Object.entries(databases.environment()).filter(([name]) => !ofThisMachine.includes(name));
  return {
    image: images[machineArchitecture],
    address,
    hosts: { 'primary.internal': databases.primary.address },
    directory: databases.directory,
    openFiles: 1000,
    environment: { ...Object.fromEntries(environment), ...change },
  };
}

describe('the image', () => {
  // That for Graviton stands on a base that may not be as slim as the registry's: its packages are merely unpacked here.
  it('is under 100 MB', async () => {
    const { stdout } = await engine.run('image', 'inspect', '--format', '{{.Size}}', images[machineArchitecture]);
    expect(Number(stdout)).toBeGreaterThan(50_000_000);
    expect(Number(stdout)).toBeLessThan(100_000_000);
  });

  it('starts as an ordinary user, with a volume for its run directory', async () => {
    const { stdout } = await engine.run('image', 'inspect', images[machineArchitecture]);
    const [{ Config }] = JSON.parse(stdout) as [{ Config: Record<string, unknown> }];
    expect(Config).toMatchObject({
      User: '6432:6432',
      Entrypoint: ['/usr/local/bin/entrypoint.sh'],
      Volumes: { '/run/pgbouncer': {} },
      ExposedPorts: { '6432/tcp': {} },
      StopSignal: 'SIGTERM',
    });
  });

  it('tells no secret to who inspects it', async () => {
    for (const command of [['image', 'inspect'], ['history', '--no-trunc']]) {
      expect((await engine.run(...command, images[machineArchitecture])).stdout).not.toMatch(secrets);
    }
  });

  it('is built for Graviton on this machine, with all that its programs load', async () => {
    const directory = await mkdtemp('/var/tmp/pooler-image-files-');
    const { stdout: id } = await engine.run('create', '--platform', 'linux/arm64', images.arm64);
    try {
      const tar = join(directory, 'image.tar');
      await engine.run('export', '--output', tar, id.trim());
      const names = (await run({ command: 'tar', args: ['-tf', tar] })).stdout.split('\n');
      await run({ command: 'tar', args: ['-xf', tar, '-C', directory, 'usr/sbin/pgbouncer', 'usr/bin/openssl', 'usr/bin/bash'] });
      const files = new Set(names.map((name) => name.split('/').at(-1)));
      for (const program of ['usr/sbin/pgbouncer', 'usr/bin/openssl', 'usr/bin/bash']) {
        const binary = await readFile(join(directory, program));
        const aarch64 = 183; // https://man7.org/linux/man-pages/man5/elf.5.html
        expect({ program, machine: binary.readUInt16LE(18) }).toEqual({ program, machine: aarch64 });
        const libraries = binary.toString('latin1').match(/(?<=\0)lib[\w.+-]+\.so\.[\d.]+(?=\0)/g) ?? [];
        expect(libraries).toContain('libc.so.6');
        expect(libraries.filter((library) => !files.has(library))).toEqual([]);
      }
    } finally {
      await engine.run('rm', id.trim());
      await rm(directory, { recursive: true });
    }
  });
});

describe('a container', () => {
  let container: PoolerContainer;
  beforeAll(async () => {
    container = await PoolerContainer.start(engine, options());
  });
  afterAll(() => container?.remove());

  it('lets a client in, over TLS, to a database whose certificate it verifies', async () => {
    const client = await container.connect('bookedbarber_app', 'bookedbarber');
    await client.query('INSERT INTO appointments VALUES (1)');
    await client.end();
    expect(await databases.primary.query('SELECT id FROM appointments', [], 'bookedbarber')).toEqual([{ id: 1 }]);
  });

  it('runs the version that the rehearsal does', async () => {
    expect(await container.execute('pgbouncer', '--version')).toMatch(/^PgBouncer 1\.24\.1$/m);
  });

  it('has no right that it could use, and writes nothing but its run directory', async () => {
    const status = await container.execute('cat', '/proc/1/status');
    expect(status).toMatch(/^Uid:\s+6432\s+6432\s+6432\s+6432$/m);
    expect(status).toMatch(/^CapBnd:\s+0{16}$/m);
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
    const attempts = 'for path in / /etc /tmp /var/tmp /usr/local/bin; do touch "$path/x" 2>/dev/null && echo "$path"; done; echo done';
    expect(await container.execute('bash', '-c', attempts)).toBe('done\n');
    expect(await container.execute('stat', '-c', '%a %u', '/run/pgbouncer')).toBe('700 6432\n');
  });

  it('has the authorities of RDS, and no key but the one that it made', async () => {
    expect(await container.execute('cat', '/etc/pgbouncer/rds-ca.pem')).toBe(await readFile(join(__dirname, '../../assets/pgbouncer/rds-ca.pem'), 'utf8'));
    const keys = 'find / -xdev -name "*.key" 2>/dev/null; grep -rlI "PRIVATE KEY-----" /etc /usr/local /usr/share /var 2>/dev/null; ls /run/pgbouncer/*.key';
    expect(await container.execute('bash', '-c', keys)).toBe('/run/pgbouncer/client.key\n');
  });

  it('tells no password to who inspects it', async () => {
    const { stdout } = await engine.run('inspect', container.id);
    expect(stdout).toContain(poolerEnvironment.userlist);
    expect(stdout).not.toContain(JSON.stringify(password).slice(1, -1));
  });

  it('reloads on SIGHUP: what was set by hand is gone', async () => {
    const admin = await container.connect('pgbouncer_admin', 'pgbouncer');
    const queryWaitTimeout = async (): Promise<unknown> =>
      (await admin.query<{ key: string; value: string }>('SHOW CONFIG')).rows.find(({ key }) => key === 'query_wait_timeout')?.value;
    await admin.query('SET query_wait_timeout = 99');
    await container.signal('HUP');
    while (!(await container.log()).includes('got SIGHUP')) await seconds(0.1);
    expect(await queryWaitTimeout()).toBe('15');
    await admin.end();
  });

  it('ends by itself within its stop timeout, and lets a transaction commit that runs through all of the drain', async () => {
    const busy = await container.connect('bookedbarber_app', 'bookedbarber');
    await busy.query('BEGIN');
    await busy.query('INSERT INTO appointments VALUES (2)');
    const stoppedAt = Date.now();
    const { StopTimeout } = definition();
    const ended = container.end(StopTimeout);
    while (!(await container.log()).includes('finishing: nobody is let in')) await seconds(0.5);
    await expect(container.connect('bookedbarber_app', 'bookedbarber')).rejects.toThrow();
    await busy.query('COMMIT');
    await ended;
    expect({ code: await container.exitCode(), inTime: Date.now() - stoppedAt < StopTimeout * 1000 }).toEqual({ code: 0, inTime: true });
    expect(await databases.primary.query('SELECT FROM appointments WHERE id = 2', [], 'bookedbarber')).toHaveLength(1);
  });
});

it('a container whose PgBouncer is frozen is unhealthy, and ends within 15 s so that nobody need wait for ECS', async () => {
  const container = await PoolerContainer.start(engine, options());
  try {
    const isHealthy = (): Promise<boolean> =>
      container.execute(...definition().HealthCheck.Command.slice(1)).then(
        () => true,
        () => false,
      );
    expect(await isHealthy()).toBe(true);
    await container.execute('bash', '-c', 'for process in /proc/[1-9]*; do [[ $(<"$process/comm") != pgbouncer ]] || kill -STOP "${process##*/}"; done');
    const frozenAt = Date.now();
    expect(await isHealthy()).toBe(false);
    expect(await container.exitCode()).toBe(137);
    expect(Date.now() - frozenAt).toBeLessThan(15_000);
    expect(await container.log()).toContain('PgBouncer has not answered twice and is killed');
  } finally {
    await container.remove();
  }
});

describe('a container that is told something wrong says what in one line and ends', () => {
  it.each<[string, Readonly<Record<string, string>>, RegExp]>([
    ['no userlist', { [poolerEnvironment.userlist]: '' }, /PGBOUNCER_USERLIST is empty/],
    ['a password', { [poolerEnvironment.userlist]: '"report" "hunter2"' }, /something other than a SCRAM verifier for "report"/],
    ['a setting that PgBouncer refuses', { PGBOUNCER_SETTING_POOL_MODE: 'sometimes' }, /invalid value "sometimes" for parameter pool_mode/],
    ['a line break in a password that stands in the userlist', { [poolerEnvironment.userlist]: '"report" "hunter2\n\"hunter2"' }, /user 1 of PGBOUNCER_USERLIST is not on a line/],
    ['a certificate that is none', { [poolerEnvironment.clientTlsCertificate]: 'x', [poolerEnvironment.clientTlsKey]: 'x' }, /is not a certificate in PEM form/],
    ['a database that nobody serves', { PGBOUNCER_DATABASE_BOOKEDBARBER: 'host=127.33.60.99 port=5432', [poolerEnvironment.waitSeconds]: '2' }, /127\.33\.60\.99:5432.*Connection refused/i],
    ['more clients than files', { PGBOUNCER_SETTING_MAX_CLIENT_CONN: '5000' }, /max_client_conn is 5000, but only 1000 files may be open/],
  ])('%s', async (_title, change, message) => {
    const container = await PoolerContainer.launch(engine, options(change));
    try {
      expect(await container.exitCode()).toBe(1);
      const log = await container.log();
      expect(log).toMatch(message);
      expect(log).not.toMatch(/hunter2/);
      expect(log.split('\n')).toHaveLength(1);
    } finally {
      await container.remove();
    }
  });
});
