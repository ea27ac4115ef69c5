import { type Deployment, DescribeServicesCommand, type ECSClient, UpdateServiceCommand } from '@aws-sdk/client-ecs';

import type { DatabaseCredentials } from '../database/connect';
import { connectPooler, type PoolerVerification } from '../pooler/connect-pooler';
import { type ServiceOfCluster, taskAddresses } from '../pooler/running-tasks';

/** The pooler as the rotation sees it: tasks that read the userlist once, at their start. */
export class RotationPooler {
  constructor(
    private readonly ecs: ECSClient,
    private readonly place: ServiceOfCluster & { readonly port: number },
    private readonly verification?: PoolerVerification,
  ) {}

  /**
   * Where a role is not let in by a task to which clients may come, one sentence each. A task on its way out counts as
   * long as it lets anybody in. While tasks are replaced nobody is asked: every refusal would be a line in the pooler's
   * log, and those are watched.
   *
   * @param databases names that its clients ask for
   */
  async refusals(credentials: DatabaseCredentials, databases: readonly string[]): Promise<readonly string[]> {
    const deployment = await this.newestDeployment();
    if (deployment?.rolloutState === 'IN_PROGRESS') return [`the tasks of the pooler are being replaced (${deployment.runningCount} of ${deployment.desiredCount} run, ${deployment.failedTasks} failed)`];
    const [running, leaving] = await Promise.all([taskAddresses(this.ecs, this.place), taskAddresses(this.ecs, this.place, 'STOPPED')]);
    if (running.length === 0) return ['no task of the pooler runs'];
    const attempts = [...running, ...leaving].flatMap((host) =>
      databases.map(async (database) => {
        const error = await this.tryToLogIn(host, database, credentials);
        if (error === undefined || (leaving.includes(host) && error.code === 'ECONNREFUSED')) return [];
        return [`task ${host}, ${database}: ${error.message || error.code}`];
      }),
    );
    return (await Promise.all(attempts)).flat();
  }

  /** Whether tasks are being replaced: by such as know a userlist, by others, whose last one may still leave, or not at all. */
  async replacement(userlistWrittenAt: Date | undefined): Promise<'by those that know it' | 'by others' | 'none'> {
    const newest = await this.newestDeployment();
    const isReplacing = newest?.rolloutState === 'IN_PROGRESS';
    const knowsUserlist = newest?.createdAt !== undefined && userlistWrittenAt !== undefined && newest.createdAt > userlistWrittenAt;
    if (isReplacing && knowsUserlist) return 'by those that know it';
    return isReplacing || (await taskAddresses(this.ecs, this.place, 'STOPPED')).length > 0 ? 'by others' : 'none';
  }

  async replaceTasks(): Promise<void> {
    const { cluster, service } = this.place;
    await this.ecs.send(new UpdateServiceCommand({ cluster, service, forceNewDeployment: true }));
  }

  private async newestDeployment(): Promise<Deployment | undefined> {
    const { cluster, service } = this.place;
    const { services = [] } = await this.ecs.send(new DescribeServicesCommand({ cluster, services: [service] }));
    return services[0]?.deployments?.find(({ status }) => status === 'PRIMARY');
  }

  private async tryToLogIn(host: string, database: string, credentials: DatabaseCredentials): Promise<NodeJS.ErrnoException | undefined> {
    try {
      const session = await connectPooler({ host, port: this.place.port, database }, credentials, this.verification);
      try {
        await session.query(database === consoleDatabase ? 'SHOW VERSION' : 'SELECT 1');
      } finally {
        await session.end();
      }
      return undefined;
    } catch (error) {
      return error as NodeJS.ErrnoException;
    }
  }
}

/** https://www.pgbouncer.org/usage.html#admin-console */
export const consoleDatabase = 'pgbouncer';
