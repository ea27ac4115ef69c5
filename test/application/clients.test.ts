import { mkdtempSync, rmSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { writeApplicationKit } from '../../lib/application-kit/application-kit';
import { readTierFacts } from '../../lib/application-kit/tier-facts';
import { readEnvironment } from '../../lib/assembly/environment-assembly';
import { environments } from '../../lib/config/environments';
import { AwsEndpoint } from '../../lib/rehearsal/aws/aws-endpoint';
import { run } from '../../lib/rehearsal/engines/child';
import { debianPython, type SqlalchemySeries } from '../../lib/rehearsal/engines/debian-python';
import { addTiers } from '../../lib/tier/database-tier';
import { poolerEnvironment } from '../../lib/tier/pooler/pooler.contract';
import { scramVerifier } from '../../lib/tier/roles/scram-verifier';
import { renderUserlist } from '../../lib/tier/roles/userlist';
import { PooledDatabases, password, userlist } from '../real/pooler/pooled-databases';
import { PoolerProcess } from '../real/pooler/pooler-process';
import { testApp } from '../synthesize';

const block = '127.38.0';
const poolerAddress = `${block}.3`;
const secretArn = 'arn:aws:secretsmanager:eu-central-1:000000000000:secret:application';
const pooledUrl = (database: string) => `postgresql://${poolerAddress}:6432/${database}?sslmode=require`;
const endpoints = { DATABASE_URL: pooledUrl('bookedbarber'), READ_REPLICA_URL: pooledUrl('bookedbarber_ro'), APPLICATION_SECRET_ARN: secretArn };
const alternate = { username: 'bookedbarber_app_alternate', password: 'another password' };

let directory: string;
let databases: PooledDatabases;
let pooler: PoolerProcess;
let aws: AwsEndpoint;
let control: Server;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'kit-clients-'));
  await chmod(directory, 0o755);
  writeKit();
  databases = await PooledDatabases.start(block, { replica: true });
  const verifier = scramVerifier({ password: alternate.password, iterations: 256 });
  await databases.primary.query(`CREATE ROLE ${alternate.username} LOGIN PASSWORD '${verifier}'`);
  await databases.primary.query(`GRANT ALL ON appointments TO ${alternate.username}`, [], 'bookedbarber');
  await databases.replica!.waitForReplay();
  pooler = await startPooler();
  aws = await AwsEndpoint.start(`${block}.8`, 8443);
  for (const [name, value] of Object.entries(endpoints)) aws.ssm.set(`/bookedbarber/production/${name}`, value);
  control = createServer((request, response) => {
    steps[request.url!.slice(1)]!().then(
      () => response.end(),
      (error: Error) => response.writeHead(500).end(error.message),
    );
  });
  await new Promise<void>((resolve) => control.listen(8444, `${block}.8`, resolve));
});
beforeEach(async () => {
  aws.secrets.create(secretArn, JSON.stringify({ username: 'bookedbarber_app', password }));
  await databases.primary.query('TRUNCATE appointments', [], 'bookedbarber');
});
afterEach(async () => {
  if (aws.secrets.json(secretArn).username === 'bookedbarber_app') return;
  await databases.primary.query(`ALTER ROLE bookedbarber_app PASSWORD '${userlistVerifier('bookedbarber_app')}'`);
  await replacePooler(() => Promise.resolve());
});
afterAll(async () => {
  control?.close();
  await aws?.stop();
  await pooler?.stop();
  await databases?.stop();
  rmSync(directory, { recursive: true, force: true });
});

function writeKit(): void {
  const app = testApp({ outdir: join(directory, 'assembly') });
  addTiers(app, { production: environments.production }, 'production');
  const stacks = readEnvironment(app.synth().directory, 'production');
  writeApplicationKit(join(directory, 'kit'), readTierFacts('production', stacks), stacks);
}

function startPooler(users = userlist): Promise<PoolerProcess> {
  return PoolerProcess.start(poolerAddress, { ...databases.environment({ poolSize: 8, maxTasks: 4 }), [poolerEnvironment.userlist]: users });
}

async function replacePooler(stop: () => Promise<unknown>, users = userlist): Promise<void> {
  await stop();
  await pooler.stop();
  pooler = await startPooler(users);
}

/** What a client may ask to happen in the middle of its scenario. */
const steps: Readonly<Record<string, () => Promise<void>>> = {
  drain: () =>
    replacePooler(() => {
      pooler.signal('SIGINT');
      return pooler.exitCode;
    }),
  kill: () => replacePooler(() => Promise.resolve()),
  rotate: async () => {
    aws.secrets.put(secretArn, JSON.stringify(alternate));
    // The former user has a new password, which the client does not know: as after the rotation that follows.
    const users = new Map([
      ['bookedbarber_app', scramVerifier({ password: 'changed', iterations: 256 })],
      [alternate.username, scramVerifier({ password: alternate.password, iterations: 256 })],
    ]);
    for (const [user, verifier] of users) await databases.primary.query(`ALTER ROLE ${user} PASSWORD '${verifier}'`);
    await replacePooler(() => Promise.resolve(), renderUserlist(users));
  },
};

interface Answer {
  readonly result?: unknown;
  readonly error?: string;
  readonly retries: number;
}

interface Client {
  readonly driver: string;
  readonly series: SqlalchemySeries;
}

async function play(scenario: string, { driver, series }: Client, engineSettings: object = {}): Promise<Answer> {
  const { command, args, environment } = await debianPython(series);
  const { stdout } = await run({
    name: 'client.py',
    command,
    args: [...args, join(__dirname, 'client.py'), scenario, driver],
    environment: {
      ...environment,
      ...aws.environment,
      AWS_DEFAULT_REGION: 'eu-central-1',
      PYTHONPATH: `${join(directory, 'kit/python')}:${environment.PYTHONPATH}`,
      CONTROL_URL: `http://${block}.8:8444`,
      ENGINE_SETTINGS: JSON.stringify(engineSettings),
    },
    timeoutMs: 60_000,
  });
  return JSON.parse(stdout) as Answer;
}

/** The kit's node-postgres, which is told where the tier is as ECS would tell it. */
async function playOnNode(scenario: string): Promise<Omit<Answer, 'retries'>> {
  const { stdout } = await run({
    name: 'client.js',
    command: process.execPath,
    args: [join(__dirname, 'client.js'), scenario],
    environment: {
      ...aws.environment,
      ...endpoints,
      NODE_PATH: [join(directory, 'kit/node'), join(__dirname, '../../node_modules')].join(delimiter),
      CONTROL_URL: `http://${block}.8:8444`,
    },
    timeoutMs: 60_000,
  });
  return JSON.parse(stdout) as Answer;
}

async function bookings(): Promise<readonly number[]> {
  const rows = await databases.primary.query<{ id: number }>('SELECT id FROM appointments ORDER BY id', [], 'bookedbarber');
  return rows.map(({ id }) => id);
}

const pooledClients: readonly Client[] = [
  { driver: 'psycopg2', series: '1.4' },
  { driver: 'psycopg2', series: '2.0' },
  { driver: 'psycopg', series: '2.0' },
  { driver: 'asyncpg', series: '1.4' },
  { driver: 'asyncpg', series: '2.0' },
];
const clients = [...pooledClients, { driver: 'asyncpg alone', series: '2.0' as const }, { driver: 'psycopg alone', series: '2.0' as const }];

/** In the words of each driver. */
const lostConnection = /closed|lost|EOF detected|terminat|not queryable/i;

describe.each(clients)('a client on $driver, SQLAlchemy $series', (client) => {
  it('sees no error when the pooler drains between its pre-ping and its first statement', async () => {
    const answer = await play('drained_before_first_statement', client);
    expect(answer).toMatchObject({ result: [[1]] });
    expect(answer.retries).toBeGreaterThan(0);
  });

  it('is told of an error after its first statement', async () => {
    const { error, retries } = await play('lost_after_first_statement', client);
    expect(error).toMatch(lostConnection);
    expect(retries).toBe(0);
    expect(await bookings()).toEqual([]);
  });

  it('is told of an error at COMMIT, and nothing is done twice', async () => {
    const { error, retries } = await play('lost_at_commit', client);
    expect(error).toMatch(lostConnection);
    expect(retries).toBe(0);
    expect(await bookings()).toEqual([]);
  });

  it('logs in with what the secret holds after a rotation', async () => {
    expect(await play('rotated', client)).toMatchObject({ result: [[['bookedbarber_app']], [[alternate.username]]] });
  });

  it('writes on the primary and reads on the replica, READ ONLY', async () => {
    const { primary, replica } = databases;
    expect(await play('split', client)).toMatchObject({
      result: [
        [false, primary.address, 'off'],
        [true, replica!.address, 'on'],
      ],
    });
  });

  it('cannot write in a read session', async () => {
    expect((await play('written_in_read_session', client)).error).toMatch(/read-only transaction/);
  });

  it('prepares statements, more than it keeps', async () => {
    expect(await play('prepared', client)).toMatchObject({ result: 8 * ((150 * 149) / 2) });
  });
});

describe('a client on node-postgres', () => {
  it('sees no error when the pooler drains before its first statement', async () => {
    expect(await playOnNode('drainedBeforeFirstStatement')).toEqual({ result: [1] });
  });

  it('is told of an error after its first statement, and at COMMIT, and nothing is done twice', async () => {
    expect((await playOnNode('lostAfterFirstStatement')).error).toMatch(lostConnection);
    expect((await playOnNode('lostAtCommit')).error).toMatch(lostConnection);
    expect(await bookings()).toEqual([]);
  });

  it('logs in with what the secret holds after a rotation', async () => {
    expect(await playOnNode('rotated')).toEqual({ result: ['bookedbarber_app', alternate.username] });
  });

  it('writes on the primary, reads on the replica, and cannot write there', async () => {
    const { primary, replica } = databases;
    expect(await playOnNode('split')).toEqual({ result: [primary.address, replica!.address] });
    expect((await playOnNode('writtenInReadSession')).error).toMatch(/read-only transaction/);
  });

  it('prepares statements', async () => {
    expect(await playOnNode('prepared')).toEqual({ result: 2 * ((150 * 149) / 2) });
  });
});

/** As the pooler's userlist has it. */
function userlistVerifier(user: string): string {
  return new RegExp(`^"${user}" "(.*)"$`, 'm').exec(userlist)![1]!;
}

describe.each(pooledClients)('the pool of $driver, SQLAlchemy $series', (client) => {
  it('gives out as many connections as it is set to, and says so when it has no more', async () => {
    const { error } = await play('crowd', client, { pool_size: 2, max_overflow: 0, pool_timeout: 1 });
    expect(error).toMatch(/QueuePool limit of size 2 overflow 0 reached, connection timed out, timeout 1/);
  });
});
