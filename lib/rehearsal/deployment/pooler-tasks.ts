import { randomUUID } from 'node:crypto';

import type { Ecs, EcsDeployment } from '../aws/ecs';
import type { Balancer } from '../network/balancer';
import { type PoolerTask, untilListening } from './pooler-task';

/** How long a task that leaves is waited for, in seconds of this machine. */
export interface LeavingTask {
  /** Between its leaving the target group and SIGTERM. */
  readonly deregistrationDelaySeconds: number;
  /** For which the balancer goes on sending new connections to it, as one does that has not noticed yet. */
  readonly lateFlowsSeconds: number;
  /** Between SIGTERM and SIGKILL. */
  readonly stopTimeoutSeconds: number;
}

export interface PoolerTasksOptions {
  readonly serviceName: string;
  readonly desiredCount: number;
  /** Starts a task from the task definition, with what its secrets hold now. */
  readonly launch: () => Promise<PoolerTask>;
  readonly balancer: () => Balancer;
  readonly ecs: Ecs;
  readonly leaving: LeavingTask;
}

/** Of a new task, to its first successful health check. */
const startTimeoutMs = 30_000;

interface Deployment {
  readonly id: string;
  readonly createdAt: Date;
  rolloutState: EcsDeployment['rolloutState'];
  rolloutStateReason: string;
  failedTasks: number;
  pendingCount: number;
}

/**
 * The service's tasks, replaced as ECS replaces them: new ones first, and none of the old ones leaves before every new
 * one is healthy.
 *
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html
 */
export class PoolerTasks {
  /** Those that the balancer sends new connections to. */
  readonly running: PoolerTask[] = [];
  private leaving: readonly PoolerTask[] = [];
  private deployment = newDeployment();
  private lastRoll: Promise<void> = Promise.resolve();

  constructor(private readonly options: PoolerTasksOptions) {
    options.ecs.addService({
      name: options.serviceName,
      deployments: () => this.describe(),
      forceNewDeployment: () => void this.roll().catch(() => undefined), // the deployment's state tells
    });
  }

  /** Starts as many as are desired. */
  async start(): Promise<void> {
    for (let count = 0; count < this.options.desiredCount; count++) this.admit(await this.launchHealthy());
    this.complete();
  }

  /** Starts as many as are missing, as ECS does when a task has ended. */
  async refill(): Promise<void> {
    while (this.running.length < this.options.desiredCount) {
      const fresh = await this.launchHealthy();
      await this.options.balancer().register(targetOf(fresh));
      this.admit(fresh);
    }
  }

  /**
   * Replaces every task, once a replacement that is under way is done.
   *
   * @throws Error if a new task does not become healthy; then all the new ones are stopped and the old ones stay
   */
  roll(): Promise<void> {
    this.deployment = newDeployment();
    const { deployment } = this;
    this.lastRoll = this.lastRoll.catch(() => undefined).then(() => this.replaceAll(deployment));
    return this.lastRoll;
  }

  /** Replaces one task as ECS does when it is unhealthy: returns once another one is there, and it has gone. */
  async replace(task: PoolerTask): Promise<void> {
    const fresh = await this.launchHealthy();
    await this.options.balancer().register(targetOf(fresh));
    this.admit(fresh);
    await this.retire([task]);
  }

  /** Kills a task. Nobody new is sent to it any more: ECS tells the balancer as soon as a task has ended. */
  async kill(task: PoolerTask): Promise<void> {
    this.dismiss(task);
    await task.kill();
    this.options.ecs.removeTask(task.address);
    await this.options.balancer().deregister(targetOf(task));
  }

  private async replaceAll(deployment: Deployment): Promise<void> {
    const old = [...this.running];
    deployment.pendingCount = this.options.desiredCount;
    const launches = await Promise.allSettled(Array.from({ length: this.options.desiredCount }, () => this.launchHealthy()));
    deployment.pendingCount = 0;
    const fresh = launches.flatMap((launch) => (launch.status === 'fulfilled' ? [launch.value] : []));
    const failures = launches.flatMap((launch) => (launch.status === 'rejected' ? [launch.reason as Error] : []));
    if (failures.length > 0) {
      await Promise.all(fresh.map((task) => task.kill()));
      Object.assign(deployment, { rolloutState: 'FAILED', rolloutStateReason: 'ECS deployment circuit breaker: tasks failed to start.', failedTasks: failures.length });
      throw failures[0]!;
    }
    for (const task of fresh) {
      await this.options.balancer().register(targetOf(task));
      this.admit(task);
    }
    await this.retire(old);
    this.complete(deployment);
  }

  /** Takes tasks out of the balancer, then asks them to end, and waits until they have. */
  private async retire(tasks: readonly PoolerTask[]): Promise<void> {
    const { ecs, balancer, leaving } = this.options;
    this.leaving = [...this.leaving, ...tasks];
    for (const task of tasks) {
      this.dismiss(task);
      ecs.deactivateTask(task.address);
    }
    const deregistered = afterSeconds(leaving.lateFlowsSeconds, async () => {
      for (const task of tasks) await balancer().deregister(targetOf(task));
    });
    const ended = afterSeconds(leaving.deregistrationDelaySeconds, async () => {
      await Promise.all(
        tasks.map(async (task) => {
          await task.process.stop('SIGTERM', leaving.stopTimeoutSeconds * 1000);
          ecs.removeTask(task.address);
        }),
      );
    });
    await Promise.all([deregistered, ended]);
    this.leaving = this.leaving.filter((task) => !tasks.includes(task));
  }

  private async launchHealthy(): Promise<PoolerTask> {
    const task = await this.options.launch();
    await untilListening(task.process, task.address, task.port);
    const deadline = Date.now() + startTimeoutMs;
    while (!(await task.isHealthy())) {
      if (!task.process.isRunning || Date.now() > deadline) {
        const what = task.process.isRunning ? `is not healthy after ${startTimeoutMs / 1000} s` : 'ended before it was healthy';
        await task.kill();
        throw new Error(`${task.name} ${what}: ${task.process.complaint()}; the end of its log:\n${task.process.logTail(8)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    return task;
  }

  private admit(task: PoolerTask): void {
    this.running.push(task);
    this.options.ecs.addTask(task.address);
  }

  private dismiss(task: PoolerTask): void {
    const index = this.running.indexOf(task);
    if (index < 0) throw new Error(`${task.name} is no task that runs`);
    this.running.splice(index, 1);
  }

  private complete(deployment = this.deployment): void {
    Object.assign(deployment, { rolloutState: 'COMPLETED', rolloutStateReason: 'ECS deployment completed.' });
  }

  /** A deployment that waits for its turn, or whose new tasks are not healthy yet, has the old one beside it. */
  private describe(): readonly EcsDeployment[] {
    const { desiredCount } = this.options;
    const { id, createdAt, rolloutState, rolloutStateReason, failedTasks, pendingCount } = this.deployment;
    const isRolledOut = rolloutState === 'COMPLETED' || this.leaving.length > 0;
    const newest = { id, createdAt, rolloutState, rolloutStateReason, failedTasks, pendingCount, desiredCount, runningCount: isRolledOut ? this.running.length : 0 };
    if (rolloutState === 'COMPLETED') return [newest];
    const older = { ...newest, id: 'ecs-svc/before', rolloutState: 'COMPLETED' as const, rolloutStateReason: '', pendingCount: 0, failedTasks: 0 };
    return [newest, { ...older, desiredCount: isRolledOut ? 0 : desiredCount, runningCount: isRolledOut ? this.leaving.length : this.running.length }];
  }
}

function newDeployment(): Deployment {
  return { id: `ecs-svc/${randomUUID()}`, createdAt: new Date(), rolloutState: 'IN_PROGRESS', rolloutStateReason: 'ECS deployment in progress.', failedTasks: 0, pendingCount: 0 };
}

function targetOf({ address, port }: PoolerTask): string {
  return `${address}:${port}`;
}

async function afterSeconds(seconds: number, act: () => Promise<void>): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  await act();
}
