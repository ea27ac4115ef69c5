import { mkdtemp, rm, chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { DescribeServicesCommand, DescribeTasksCommand, ECSClient, ListTasksCommand, UpdateServiceCommand } from '@aws-sdk/client-ecs';

import { AwsEndpoint } from '../../../lib/rehearsal/aws/aws-endpoint';
import { PoolerTask } from '../../../lib/rehearsal/deployment/pooler-task';
import { PoolerTasks } from '../../../lib/rehearsal/deployment/pooler-tasks';
import { Balancer } from '../../../lib/rehearsal/network/balancer';
import { connectPooler } from '../../../lib/tier/pooler/connect-pooler';
import { poolerEnvironment } from '../../../lib/tier/pooler/pooler.contract';
import { password, PooledDatabases, userlist } from '../pooler/pooled-databases';

const block = '127.33.40';
const port = 6432;
const app = { username: 'bookedbarber_app', password };
const through = { host: `${block}.100`, port, database: 'bookedbarber' };

let databases: PooledDatabases;
let aws: AwsEndpoint;
let ecs: ECSClient;
let balancer: Balancer;
let directory: string;
let tasks: PoolerTasks;
/** What new tasks are given. */
let secret = userlist;
const launched: PoolerTask[] = [];
/** Less than this machine allows, and than PgBouncer would take. */
const openFiles = 1234;
let launches = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rolling-'));
  await chmod(directory, 0o755);
  databases = await PooledDatabases.start(block, { replica: false });
  aws = await AwsEndpoint.start(`${block}.9`, 8443);
  ecs = new ECSClient({ endpoint: aws.environment.AWS_ENDPOINT_URL_ECS, region: 'eu-central-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' }, maxAttempts: 1 });
  tasks = new PoolerTasks({ serviceName: 'Pooler', desiredCount: 2, launch, balancer: () => balancer, ecs: aws.ecs, leaving: { deregistrationDelaySeconds: 2, lateFlowsSeconds: 1, stopTimeoutSeconds: 30 } });
  await tasks.start();
  const targets = tasks.running.map((task) => `${task.address}:${port}`);
  balancer = await Balancer.start({ addresses: [through.host], port, targets, sticky: false, idleTimeoutSeconds: 350, maxSessions: 100 });
});
afterAll(async () => {
  for (const task of launched) await task.kill();
  await balancer?.stop();
  await aws?.stop();
  await databases?.stop();
  await rm(directory, { recursive: true, force: true });
});

async function launch(): Promise<PoolerTask> {
  const number = (launches += 1);
  const name = `task-${number}`;
  const environment = { ...databases.environment({ minTasks: 2 }), [poolerEnvironment.userlist]: secret, [poolerEnvironment.drainSeconds]: '3', [poolerEnvironment.finishSeconds]: '5' };
  const image = join(__dirname, '../../../assets/pgbouncer');
  const task = await PoolerTask.launch({ name, address: `${block}.${20 + number}`, port, image, directory: join(directory, name), environment, openFiles });
  launched.push(task);
  return task;
}

async function describeService() {
  const { services } = await ecs.send(new DescribeServicesCommand({ services: ['Pooler'] }));
  return services![0]!;
}

async function rolloutState() {
  return (await describeService()).deployments![0]!.rolloutState;
}

async function addressesOf(desiredStatus: 'RUNNING' | 'STOPPED'): Promise<readonly string[]> {
  const { taskArns } = await ecs.send(new ListTasksCommand({ cluster: 'c', serviceName: 'Pooler', desiredStatus }));
  if (taskArns!.length === 0) return [];
  const { tasks: described } = await ecs.send(new DescribeTasksCommand({ cluster: 'c', tasks: taskArns }));
  return described!.map(({ attachments }) => attachments![0]!.details![0]!.value!);
}

/** Clients that ask before each transaction whether their connection still lives, as the application's pool does. */
function startClients(count: number) {
  let stopped = false;
  const seen = { transactions: 0, failedLogins: 0, unknown: [] as string[] };
  const client = async (): Promise<void> => {
    let session = await connectPooler(through, app);
    while (!stopped) {
      try {
        await session.query('SELECT 1');
        await session.query('BEGIN');
      } catch {
        await session.end().catch(() => undefined);
        session = await connectPooler(through, app).catch((error: Error) => {
          seen.failedLogins += 1;
          throw error;
        });
        continue;
      }
      try {
        await session.query('SELECT pg_sleep(0.02)');
        await session.query('COMMIT');
        seen.transactions += 1;
      } catch (error) {
        seen.unknown.push((error as Error).message);
      }
    }
    await session.end();
  };
  const running = Promise.all(Array.from({ length: count }, client));
  /** Once there were so many transactions. */
  const stop = async (leastTransactions: number): Promise<void> => {
    while (seen.transactions < leastTransactions && seen.failedLogins + seen.unknown.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    stopped = true;
    await running;
  };
  return { seen, stop };
}

describe('a forced deployment', () => {
  it('replaces every task under clients that lose no transaction, and says how far it is', async () => {
    const old = tasks.running.map(({ address }) => address);
    const clients = startClients(8);
    const { service } = await ecs.send(new UpdateServiceCommand({ cluster: 'c', service: 'Pooler', forceNewDeployment: true }));
    expect(service!.deployments![0]).toMatchObject({ status: 'PRIMARY', rolloutState: 'IN_PROGRESS', desiredCount: 2, runningCount: 0 });
    expect(service!.deployments![1]).toMatchObject({ status: 'ACTIVE', runningCount: 2 });

    while ((await addressesOf('STOPPED')).length === 0 && (await rolloutState()) === 'IN_PROGRESS') await new Promise((resolve) => setTimeout(resolve, 50));
    expect([...(await addressesOf('STOPPED'))].sort()).toEqual([...old].sort());
    expect(await describeService()).toMatchObject({ runningCount: 4, deployments: [{ rolloutState: 'IN_PROGRESS', runningCount: 2 }, { runningCount: 2 }] });
    while ((await rolloutState()) === 'IN_PROGRESS') await new Promise((resolve) => setTimeout(resolve, 100));
    const { seen } = clients;
    await clients.stop(50);

    expect(await describeService()).toMatchObject({ runningCount: 2, deployments: [{ rolloutState: 'COMPLETED', runningCount: 2 }] });
    expect(launched.slice(0, 2).map(({ process }) => process.isRunning)).toEqual([false, false]);
    expect(tasks.running.map(({ address }) => address).filter((address) => old.includes(address))).toEqual([]);
    expect(seen).toMatchObject({ failedLogins: 0, unknown: [] });
  });

  it('gives new tasks what their secrets hold now', async () => {
    secret = userlist.replace('"pgbouncer_admin"', '"somebody_new"');
    await tasks.roll();
    for (const { address } of tasks.running) {
      const session = await connectPooler({ host: address, port, database: 'pgbouncer' }, { ...app, username: 'bookedbarber_collector' });
      const { rows } = await session.query<{ name: string }>('SHOW USERS');
      expect(rows.map(({ name }) => name)).toContain('somebody_new');
      await session.end();
    }
  });

  it('fails and keeps the old tasks if a new one does not start', async () => {
    const before = [...tasks.running];
    secret = 'not a userlist';
    await expect(tasks.roll()).rejects.toThrow('user 1 of PGBOUNCER_USERLIST is not on a line');
    secret = userlist;
    expect(tasks.running).toEqual(before);
    expect((await describeService()).deployments![0]).toMatchObject({ rolloutState: 'FAILED', failedTasks: 2, runningCount: 0 });
    await (await connectPooler(through, app)).end();
  });
});

describe('a single task', () => {
  it('may have as many files open as its container', async () => {
    expect(await Promise.all(tasks.running.map((task) => task.openFilesOfPgbouncer()))).toEqual([openFiles, openFiles]);
  });

  it('is unhealthy while it is frozen, and replaced', async () => {
    const [task] = tasks.running;
    expect(await task!.isHealthy()).toBe(true);
    await task!.freeze();
    expect(await task!.isHealthy()).toBe(false);
    await task!.thaw();
    expect(await task!.isHealthy()).toBe(true);
    await tasks.replace(task!);
    expect(task!.process.isRunning).toBe(false);
    expect(tasks.running).toHaveLength(2);
    expect(await addressesOf('RUNNING')).toHaveLength(2);
  });

  it('that is killed gets nobody any more', async () => {
    await tasks.kill(tasks.running[0]!);
    for (let login = 0; login < 4; login++) await (await connectPooler(through, app)).end();
    expect(await addressesOf('RUNNING')).toEqual([tasks.running[0]!.address]);
  });
});
