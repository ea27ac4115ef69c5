import { mkdtempSync, rmSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';

import { writeApplicationKit } from '../../lib/application-kit/application-kit';
import { readTierFacts } from '../../lib/application-kit/tier-facts';
import { readEnvironment } from '../../lib/assembly/environment-assembly';
import { environments } from '../../lib/config/environments';
import type { PoolerConfig } from '../../lib/config/tier-config';
import { AwsEndpoint } from '../../lib/rehearsal/aws/aws-endpoint';
import { debianPython, type SqlalchemySeries } from '../../lib/rehearsal/engines/debian-python';
import { addTiers } from '../../lib/tier/database-tier';
import { poolerEnvironment } from '../../lib/tier/pooler/pooler.contract';
import { scramVerifier } from '../../lib/tier/roles/scram-verifier';
import { renderUserlist } from '../../lib/tier/roles/userlist';
import { PooledDatabases, password, userlist } from '../real/pooler/pooled-databases';
import { PoolerProcess } from '../real/pooler/pooler-process';
import { testApp } from '../synthesize';
import { type Answer, ClientProcess, type ClientProgram } from './client-process';

const block = '127.38.0';
const poolerAddress = `${block}.3`;
const secretArn = 'arn:aws:secretsmanager:eu-central-1:000000000000:secret:application';
const pooledUrl = (database: string) => `postgresql://${poolerAddress}:6432/${database}?sslmode=require`;
const endpoints = { DATABASE_URL: pooledUrl('bookedbarber'), READ_REPLICA_URL: pooledUrl('bookedbarber_ro'), APPLICATION_SECRET_ARN: secretArn };
const alternate = { username: 'bookedbarber_app_alternate', password: 'another password' };
/** A task's share holds all that the kit's pool gives out. */
const follows: PoolerConfig = { poolSize: 2 * 64, maxTasks: 2, settings: { server_round_robin: '1' } };
const queueSeconds = 2;
const unprepared: PoolerConfig = { ...follows, settings: { ...follows.settings, max_prepared_statements: '0', query_wait_timeout: `${queueSeconds}` } };

let directory: string;
let databases: PooledDatabases;
let pooler: PoolerProcess;
let aws: AwsEndpoint;
let control: Server;
let playing: { readonly key: string; readonly process: ClientProcess } | undefined;
let restarted: Promise<unknown> | undefined;
/** Of the pooler that runs. */
let poolerConfig = follows;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'kit-clients-'));
  await chmod(directory, 0o755);
  for (const config of [follows, unprepared]) writeKit(config);
  databases = await PooledDatabases.start(block, { replica: true });
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
  for (const user of ['bookedbarber_app', alternate.username]) await databases.primary.query(`ALTER ROLE ${user} PASSWORD '${userlistVerifier(user)}'`);
  await replacePooler(() => Promise.resolve());
});
afterAll(async () => {
  playing?.process.stop();
  control?.close();
  await aws?.stop();
  await pooler?.stop();
  await databases?.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** Of the application kit that is made for such a pooler. */
const kitDirectory = (config: PoolerConfig): string => join(directory, config === unprepared ? 'kit-unprepared' : 'kit');

function writeKit(config: PoolerConfig): void {
  const app = testApp({ outdir: join(directory, `assembly of ${basename(kitDirectory(config))}`) });
  addTiers(app, { production: { ...environments.production, pooler: config } }, 'production');
  const stacks = readEnvironment(app.synth().directory, 'production');
  writeApplicationKit(kitDirectory(config), readTierFacts('production', stacks), stacks);
}

function startPooler(users = userlist): Promise<PoolerProcess> {
  return PoolerProcess.start(poolerAddress, { ...databases.environment(poolerConfig), [poolerEnvironment.userlist]: users });
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
  'restart-replica': async () => {
    await databases.replica!.halt('fast');
    // The client goes on while there is none.
    restarted = databases.replica!.launch();
  },
  'stop-replica': () => databases.replica!.halt('fast'),
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

interface Client {
  readonly driver: string;
  readonly series: SqlalchemySeries;
  /** @default - the one that the tier has */
  readonly pooler?: PoolerConfig;
}

const node = 'node-postgres';

/** One process at a time, which plays all scenarios of its client. */
async function play(scenario: string, client: Client | typeof node, settings?: object): Promise<Answer> {
  const wanted = (client !== node && client.pooler) || follows;
  if (poolerConfig !== wanted) {
    poolerConfig = wanted;
    await replacePooler(() => Promise.resolve());
  }
  const key = JSON.stringify(client);
  if (playing?.key !== key || !playing.process.isRunning) {
    playing?.process.stop();
    playing = { key, process: new ClientProcess(client === node ? nodeProgram() : await pythonProgram(client)) };
  }
  return playing.process.play(scenario, settings);
}

async function pythonProgram({ driver, series, pooler: config = follows }: Client): Promise<ClientProgram> {
  const { command, args, environment } = await debianPython(series);
  return {
    command,
    args: [...args, join(__dirname, 'client.py'), driver],
    environment: {
      ...environment,
      ...aws.environment,
      AWS_DEFAULT_REGION: 'eu-central-1',
      PYTHONPATH: `${join(kitDirectory(config), 'python')}:${environment.PYTHONPATH}`,
      CONTROL_URL: `http://${block}.8:8444`,
    },
  };
}

/** The kit's node-postgres, which is told where the tier is as ECS would tell it. */
function nodeProgram(): ClientProgram {
  return {
    command: process.execPath,
    args: [join(__dirname, 'client.js')],
    environment: {
      ...aws.environment,
      ...endpoints,
      NODE_PATH: [join(kitDirectory(follows), 'node'), join(__dirname, '../../node_modules')].join(delimiter),
      CONTROL_URL: `http://${block}.8:8444`,
    },
  };
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

/** SQLAlchemy's pool would take its connections in turn, as the pooler does, and each would meet its own server connection again. */
const oneConnection = ({ driver }: Client): object => (driver.endsWith('alone') ? {} : { pool_size: 1 });

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

  it('notices a host that has vanished', async () => {
    expect(await play('keepalive', client)).toMatchObject({ result: [[1, 30, 5, 3, 10_000]] });
  });

  it('cannot write in a read session', async () => {
    expect((await play('written_in_read_session', client)).error).toMatch(/read-only transaction/);
  });

  it('reads again when the replica is back from a restart, without an error', async () => {
    expect(await play('replica_restarted', client)).toMatchObject({ result: [[[1]], [[1]]] });
    await restarted;
  });

  it('prepares statements, more than it keeps', async () => {
    expect(await play('prepared', client, oneConnection(client))).toMatchObject({ result: 8 * ((150 * 149) / 2) });
  });

  if (!pooledClients.includes(client)) return;

  it('has a pool that gives out 20 connections and 40 more, and then says that it has no more', async () => {
    const { result } = await play('crowd', client, { pool_timeout: 1 });
    expect(result).toEqual([60, expect.stringMatching(/QueuePool limit of size 20 overflow 40 reached, connection timed out, timeout 1/)]);
  });

  it('has a pool that recycles a connection after an hour, pings it, and waits for one as long as the pooler would', async () => {
    expect((await play('pool_settings', client)).result).toEqual({ size: 20, overflow: 40, recycle: 3600, pre_ping: true, timeout: 15 });
  });
});

describe('a client on node-postgres', () => {
  it('sees no error when the pooler drains before its first statement', async () => {
    expect(await play('drainedBeforeFirstStatement', node)).toEqual({ result: [1] });
  });

  it('is told of an error after its first statement, and at COMMIT, and nothing is done twice', async () => {
    expect((await play('lostAfterFirstStatement', node)).error).toMatch(lostConnection);
    expect((await play('lostAtCommit', node)).error).toMatch(lostConnection);
    expect(await bookings()).toEqual([]);
  });

  it('logs in with what the secret holds after a rotation', async () => {
    expect(await play('rotated', node)).toEqual({ result: ['bookedbarber_app', alternate.username] });
  });

  it('writes on the primary, reads on the replica, and cannot write there', async () => {
    const { primary, replica } = databases;
    expect(await play('split', node)).toEqual({ result: [primary.address, replica!.address] });
    expect((await play('writtenInReadSession', node)).error).toMatch(/read-only transaction/);
  });

  it('prepares statements', async () => {
    expect(await play('prepared', node)).toEqual({ result: 2 * ((150 * 149) / 2) });
  });
});

/** As the pooler's userlist has it. */
function userlistVerifier(user: string): string {
  return new RegExp(`^"${user}" "(.*)"$`, 'm').exec(userlist)![1]!;
}

describe('a read while no replica answers', () => {
  afterEach(async () => {
    if (!databases.replica!.isRunning) await databases.replica!.launch();
  });

  it('fails once no new attempt begins, after 10 s, and the last one has waited in the queue of the pooler', async () => {
    const { result } = await play('replica_lost', { driver: 'psycopg2', series: '2.0', pooler: unprepared });
    const [error, seconds] = result as [string, number];
    expect(error).toMatch(lostConnection);
    expect(seconds).toBeGreaterThan(8);
    expect(seconds).toBeLessThan(10 + queueSeconds + 3);
  });
});

describe.each<Client>([
  { driver: 'psycopg', series: '2.0' },
  { driver: 'asyncpg', series: '2.0' },
  { driver: 'asyncpg alone', series: '2.0' },
  { driver: 'psycopg alone', series: '2.0' },
])('a client on $driver, SQLAlchemy $series, of a pooler that follows no prepared statements', (client) => {
  it('prepares none that the next transaction would look for', async () => {
    expect(await play('prepared', { ...client, pooler: unprepared }, oneConnection(client))).toMatchObject({ result: 8 * ((150 * 149) / 2) });
  });
});

describe('SQLAlchemy 1.4 on asyncpg', () => {
  it('says that it cannot do without prepared statements', async () => {
    const { error } = await play('prepared', { driver: 'asyncpg', series: '1.4', pooler: unprepared });
    expect(error).toMatch(/SQLAlchemy 1\.4 gives prepared statements of asyncpg names that other processes use too, and this pooler does not follow them \(max_prepared_statements = 0\); use SQLAlchemy 2, or psycopg2/);
  });
});
