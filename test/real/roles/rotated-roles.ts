import { chmod } from 'node:fs/promises';
import { join } from 'node:path';

import { build } from 'esbuild';
import type { Client } from 'pg';

import { LambdaFunction } from '../../../lib/rehearsal/aws/lambda-function';
import { rotateSecret, type RotationEvent } from '../../../lib/rehearsal/aws/rotate-secret';
import { PoolerTask } from '../../../lib/rehearsal/deployment/pooler-task';
import { PoolerTasks } from '../../../lib/rehearsal/deployment/pooler-tasks';
import { Balancer } from '../../../lib/rehearsal/network/balancer';
import { environments } from '../../../lib/config/environments';
import { resolveConfig } from '../../../lib/config/resolve-config';
import { databaseEnvironment } from '../../../lib/tier/database/database.contract';
import { connectPooler } from '../../../lib/tier/pooler/connect-pooler';
import { poolerEnvironment } from '../../../lib/tier/pooler/pooler.contract';
import { roleCatalogue, type SecretName, secretNames } from '../../../lib/tier/roles/role-catalogue';
import { rolesEnvironment, rotationEnvironment } from '../../../lib/tier/roles/roles.contract';
import { consoleUsers, rotatedSecret } from '../../../lib/tier/roles/rotated-secrets';
import { templateEnvironment } from '../pooler/pooled-databases';
import { arnOf, DeployedRoles } from './deployed-roles';

const port = 6432;
const catalogue = roleCatalogue(resolveConfig('staging', environments.staging), []);

/** Roles as a first deploy leaves them, a pooler of two tasks behind a balancer, and the bundle of the rotation. */
export class RotatedRoles {
  tasks!: PoolerTasks;
  /** As an image takes to be fetched. */
  startDelayMs = 0;
  /** How long tasks that are replaced are waited for. */
  readonly leaving = { deregistrationDelaySeconds: 0.5, lateFlowsSeconds: 0.5, stopTimeoutSeconds: 30 };
  private balancer!: Balancer;
  private readonly launched: PoolerTask[] = [];
  private launches = 0;

  private constructor(
    readonly deployed: DeployedRoles,
    private readonly block: string,
  ) {}

  static async start(block: string): Promise<RotatedRoles> {
    const deployed = await DeployedRoles.start(`${block}.1`);
    const roles = new RotatedRoles(deployed, block);
    await chmod(deployed.directory, 0o755); // PgBouncer runs as another user
    await build({ entryPoints: [join(__dirname, '../../../lib/tier/roles/rotation.lambda.ts')], outfile: join(deployed.directory, 'rotation/index.js'), bundle: true, platform: 'node', external: ['pg-native'], logLevel: 'error' });
    await deployed.bootstrap();
    roles.tasks = new PoolerTasks({ serviceName: 'Pooler', desiredCount: 2, launch: () => roles.launchTask(), balancer: () => roles.balancer, ecs: deployed.aws.ecs, leaving: roles.leaving });
    await roles.tasks.start();
    roles.balancer = await Balancer.start({ addresses: [`${block}.100`], port, targets: roles.tasks.running.map(({ address }) => `${address}:${port}`), sticky: false, idleTimeoutSeconds: 350, maxSessions: 200 });
    return roles;
  }

  /** A task that has read the userlist as it is now; the service knows nothing of it. */
  async launchTask(): Promise<PoolerTask> {
    const { deployed, block } = this;
    await new Promise((resolve) => setTimeout(resolve, this.startDelayMs));
    this.launches += 1;
    const name = `task-${this.launches}`;
    const database = (alias: string) => ({ [`${poolerEnvironment.databasePrefix}${alias}`]: `host=${deployed.postgres.address} port=${deployed.postgres.port} dbname=bookedbarber pool_size=5 max_db_connections=5` });
    const { admin, stats } = consoleUsers(catalogue);
    const task = await PoolerTask.launch({
      name,
      address: `${block}.${100 + this.launches}`,
      port,
      image: join(__dirname, '../../../assets/pgbouncer'),
      directory: join(deployed.directory, name),
      environment: {
        ...templateEnvironment(),
        ...database('BOOKEDBARBER'),
        ...database('BOOKEDBARBER_RO'),
        [`${poolerEnvironment.settingPrefix}ADMIN_USERS`]: admin,
        [`${poolerEnvironment.settingPrefix}STATS_USERS`]: stats,
        [poolerEnvironment.userlist]: deployed.aws.secrets.text(arnOf('userlist')),
        [poolerEnvironment.serverTlsCaFile]: join(deployed.directory, 'ca.pem'),
        // Longer than the log-in of a late flow takes on a busy machine.
        [poolerEnvironment.drainSeconds]: '3',
        [poolerEnvironment.finishSeconds]: '5',
      },
    });
    this.launched.push(task);
    return task;
  }

  /** All four steps. @param version to go on with. @default - a new one */
  rotate(secret: SecretName, version?: string): Promise<void> {
    return rotateSecret(this.deployed.aws.secrets, arnOf(secret), (event) => this.invoke(event), version);
  }

  /** One step of a version that has been announced. */
  step(Step: RotationEvent['Step'], secret: SecretName, ClientRequestToken: string, options: { readonly signal?: AbortSignal; readonly timeoutSeconds?: number } = {}): Promise<unknown> {
    return this.invoke({ Step, SecretId: arnOf(secret), ClientRequestToken }, options);
  }

  announce(secret: SecretName): string {
    return this.deployed.aws.secrets.announce(arnOf(secret));
  }

  /** Through the balancer, with what the secret holds at this moment. The caller ends the session. */
  async logIn(secret: SecretName, database = 'bookedbarber'): Promise<Client> {
    return this.logInWith(this.deployed.aws.secrets.json(arnOf(secret)) as { username: string; password: string }, database);
  }

  async logInWith(credentials: { username: string; password: string }, database = 'bookedbarber'): Promise<Client> {
    return connectPooler({ host: `${this.block}.100`, port, database }, credentials);
  }

  private invoke(event: RotationEvent, { signal, timeoutSeconds = 60 }: { readonly signal?: AbortSignal; readonly timeoutSeconds?: number } = {}): Promise<unknown> {
    const { postgres, aws, directory } = this.deployed;
    const rotated = Object.fromEntries(secretNames.map((name) => [arnOf(name), rotatedSecret(catalogue, name, ['bookedbarber', 'bookedbarber_ro'])]));
    const rotation = new LambdaFunction(
      {
        functionName: 'rotation',
        codeDirectory: join(directory, 'rotation'),
        handler: 'index.handler',
        environment: {
          NODE_EXTRA_CA_CERTS: '/var/runtime/ca-cert.pem',
          [databaseEnvironment.host]: postgres.address,
          [databaseEnvironment.port]: `${postgres.port}`,
          [databaseEnvironment.name]: 'bookedbarber',
          [databaseEnvironment.secretArn]: arnOf('rotation'),
          [rolesEnvironment.userlistSecretArn]: arnOf('userlist'),
          [rotationEnvironment.rotatedSecrets]: JSON.stringify(rotated),
          [rotationEnvironment.cluster]: 'cluster',
          [rotationEnvironment.service]: 'Pooler',
          [rotationEnvironment.poolerPort]: `${port}`,
        },
        timeoutSeconds,
      },
      { names: new Map(), runtimeEnvironment: aws.environment, authorityFile: join(directory, 'ca.pem') },
    );
    return rotation.invoke(event, signal);
  }

  async stop(): Promise<void> {
    for (const task of this.launched) await task.kill();
    await this.balancer?.stop();
    await this.deployed.stop();
  }
}
