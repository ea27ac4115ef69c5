import { join } from 'node:path';

import type { AssemblyStack } from '../../assembly/environment-assembly';
import { poolerContainerName, poolerEnvironment } from '../../tier/pooler/pooler.contract';
import { Balancer } from '../network/balancer';
import type { Site } from '../site';
import { makeCertificateSecret } from './certificate-secret';
import { assertMapsPort, type ContainerDefinition, type MappedPort } from './container-definition';
import { readContainerSecret } from './container-secrets';
import type { ResourceMaker, ResourceRequest } from './deployment';
import { type OpenFiles, openFilesOf } from './open-files';
import { PoolerTask } from './pooler-task';
import { PoolerTasks } from './pooler-tasks';
import { type TaskScaling, taskScaling } from './task-scaling';

interface TargetGroupProperties {
  readonly TargetGroupAttributes?: readonly { readonly Key: string; readonly Value: string }[];
}

interface ListenerProperties {
  readonly Port: number;
  readonly DefaultActions: readonly { readonly TargetGroupArn: string }[];
  readonly ListenerAttributes?: readonly { readonly Key: string; readonly Value: string }[];
}

interface ServiceProperties {
  readonly TaskDefinition: string;
  readonly LoadBalancers: readonly (MappedPort & { readonly TargetGroupArn: string })[];
}

/**
 * How many application hosts the balancer is seen from. Each has an address of its own here, since connections on one
 * machine cannot be told apart by where they come from.
 */
const applicationHosts = 4;

/** A balancer may open connections to a target for about that long after it was taken out. */
const lateFlowsSeconds = 120;

/** https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html */
const ecsHealthCheck = { Interval: 30, Retries: 3 };

export interface PoolerServiceOptions {
  /** Sessions that the balancer must carry. */
  readonly maxSessions: number;
  /** Tasks to start. @default - as many as autoscaling starts with */
  readonly poolerTasks?: number;
  /**
   * Part of the real time for which a task that leaves is waited for: the deregistration delay, the balancer's lateness
   * and the first half of the task's own drain. Transactions have their whole time in any case.
   *
   * @default 1
   */
  readonly leavingTimeScale?: number;
}

/** PgBouncer's tasks by the image's own entrypoint, behind haproxy in place of the network load balancer. */
export class PoolerService {
  /** Where clients connect: one address for each application host. */
  readonly addresses: string[] = [];
  private readonly containers = new Map<string, ContainerDefinition>();
  private readonly targetGroups = new Map<string, TargetGroupProperties>();
  private readonly listeners: ListenerProperties[] = [];
  private deployed?: PoolerTasks;
  private container?: ContainerDefinition;
  private scaling: TaskScaling = { fewest: 1, most: 1 };
  private balancer?: Balancer;
  private launched = 0;
  private openFiles?: OpenFiles;

  constructor(
    private readonly site: Site,
    private readonly options: PoolerServiceOptions,
  ) {}

  /** Those that get new connections. */
  get tasks(): readonly PoolerTask[] {
    return this.deployed?.running ?? [];
  }

  /** Tasks that autoscaling may start. */
  get mostTasks(): number {
    return Math.max(this.scaling.most, this.tasks.length);
  }

  /** What is shorter here than in the template; empty if nothing is. */
  get scaled(): readonly string[] {
    const { leavingTimeScale: scale = 1 } = this.options;
    const { wanted = 0, given = 0 } = this.openFiles ?? {};
    return [
      ...(scale === 1 ? [] : [`a PgBouncer task that leaves is waited for ${scale} times as long as in the template: deregistration delay, late connections and drain`]),
      ...(given === wanted ? [] : [`a PgBouncer task may have ${given} files open, which is all that this machine allows, instead of ${wanted}`]),
    ];
  }

  /** How often ECS asks whether a task is healthy, and at which failure in a row it believes that it is not. */
  get healthCheck(): { readonly intervalSeconds: number; readonly retries: number } {
    const { Interval, Retries } = { ...ecsHealthCheck, ...this.container?.HealthCheck };
    return { intervalSeconds: Interval, retries: Retries };
  }

  /** Replaces every task, as `UpdateService` with `forceNewDeployment` does. @throws Error if the new ones do not start */
  async roll(): Promise<void> {
    await this.required.roll();
  }

  /** Replaces one task, as ECS does when it is unhealthy. */
  async replace(task: PoolerTask): Promise<void> {
    await this.required.replace(task);
  }

  /** Starts a task for each that was killed. */
  async refill(): Promise<void> {
    await this.required.refill();
  }

  /** Kills a task, which is not replaced. */
  async kill(task: PoolerTask): Promise<void> {
    await this.required.kill(task);
  }

  private get required(): PoolerTasks {
    if (!this.deployed) throw new Error('the pooler is not deployed yet');
    return this.deployed;
  }

  readonly loadBalancer: ResourceMaker = {
    fidelity: 'imitated',
    make: ({ logicalId }) => {
      const hostName = `${logicalId.toLowerCase()}.elb.internal`;
      for (let host = 0; host < applicationHosts; host++) this.addresses.push(this.site.addresses.next());
      this.site.resolver.set(hostName, this.addresses[0]!);
      return { ref: logicalId, attributes: { DNSName: hostName, LoadBalancerArn: logicalId, LoadBalancerFullName: logicalId, CanonicalHostedZoneID: logicalId } };
    },
  };

  readonly targetGroup: ResourceMaker = {
    fidelity: 'imitated',
    make: ({ logicalId, properties }) => {
      this.targetGroups.set(logicalId, properties);
      return { ref: logicalId, attributes: { TargetGroupArn: logicalId, TargetGroupFullName: logicalId } };
    },
  };

  readonly listener: ResourceMaker = {
    fidelity: 'imitated',
    make: ({ logicalId, properties }) => {
      this.listeners.push(properties as unknown as ListenerProperties);
      return { ref: logicalId, attributes: { ListenerArn: logicalId } };
    },
  };

  readonly taskDefinition: ResourceMaker = {
    fidelity: 'as it is',
    make: async ({ logicalId, properties }) => {
      const { ContainerDefinitions: containers } = properties as { ContainerDefinitions: readonly ContainerDefinition[] };
      const container = containers.find(({ Name }) => Name === poolerContainerName);
      if (!container) throw new Error(`it has no container "${poolerContainerName}"`);
      await makeCertificateSecret(container, this.site);
      this.containers.set(logicalId, container);
      return { ref: logicalId };
    },
  };

  readonly service: ResourceMaker = {
    fidelity: 'imitated',
    make: async (request) => {
      const { TaskDefinition, LoadBalancers } = request.properties as unknown as ServiceProperties;
      const container = this.containers.get(TaskDefinition);
      const [target] = LoadBalancers;
      if (!container || !target) throw new Error('it has no task definition of the pooler, or no target group');
      assertMapsPort(container, target);
      this.container = container;
      this.openFiles = await openFilesOf(container);
      this.scaling = taskScaling(request);
      this.deployed = this.tasksOf(request, container, target.TargetGroupArn);
      await this.deployed.start();
      await this.startBalancer(target.TargetGroupArn);
      // The DNS record of the team.
      const hostName = container.Environment?.find(({ Name }) => Name === poolerEnvironment.clientTlsHost)?.Value;
      if (hostName !== undefined) this.site.resolver.set(hostName, this.addresses[0]!);
      return { ref: request.logicalId, scaled: this.scaled, attributes: { Name: request.logicalId, ServiceArn: request.logicalId } };
    },
  };

  private tasksOf(request: ResourceRequest, container: ContainerDefinition, targetGroupArn: string): PoolerTasks {
    const { leavingTimeScale: scale = 1 } = this.options;
    const delay = attribute(this.targetGroups.get(targetGroupArn)?.TargetGroupAttributes, 'deregistration_delay.timeout_seconds');
    return new PoolerTasks({
      serviceName: request.logicalId,
      desiredCount: this.options.poolerTasks ?? this.scaling.fewest,
      launch: () => this.launchTask(container, request.stack),
      balancer: () => this.balancer!,
      ecs: this.site.aws.ecs,
      leaving: {
        deregistrationDelaySeconds: Number(delay ?? 300) * scale,
        lateFlowsSeconds: lateFlowsSeconds * scale,
        stopTimeoutSeconds: container.StopTimeout ?? 30,
      },
    });
  }

  private async launchTask(container: ContainerDefinition, stack: AssemblyStack): Promise<PoolerTask> {
    const image = stack.imageDirectory(container.Image.split(':').at(-1) ?? '');
    if (!image) throw new Error(`the assembly has no build context of the image ${container.Image}`);
    this.launched += 1;
    const name = `task-${this.launched}`;
    const variables = Object.fromEntries((container.Environment ?? []).map(({ Name, Value }) => [Name, Value]));
    const task = await PoolerTask.launch({
      name,
      address: this.site.addresses.next(),
      port: container.PortMappings?.[0]?.ContainerPort ?? 0,
      image,
      directory: join(this.site.directory, name),
      openFiles: this.openFiles?.given,
      environment: {
        ...variables,
        ...this.drainSeconds(variables),
        ...Object.fromEntries((container.Secrets ?? []).map(({ Name, ValueFrom }) => [Name, readContainerSecret(this.site.aws.secrets, ValueFrom)])),
        ...(variables[poolerEnvironment.clientTlsAuthorities] !== undefined && { [poolerEnvironment.clientTlsAuthorities]: this.site.authority.certificatePem }),
        [poolerEnvironment.serverTlsCaFile]: this.site.authorityFile,
        [poolerEnvironment.resolvConf]: this.site.resolvConfFile,
        [poolerEnvironment.lookup]: this.site.lookupFile,
      },
    });
    // No client here waits for a slow goodbye: the drain is for a rolling deployment.
    this.site.teardown.defer(`pooler ${name}`, () => task.kill());
    return task;
  }

  private drainSeconds({ [poolerEnvironment.drainSeconds]: seconds }: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    const { leavingTimeScale: scale = 1 } = this.options;
    return seconds === undefined ? {} : { [poolerEnvironment.drainSeconds]: `${Math.ceil(Number(seconds) * scale)}` };
  }

  private async startBalancer(targetGroupArn: string): Promise<void> {
    const listener = this.listeners.find(({ DefaultActions }) => DefaultActions.some((action) => action.TargetGroupArn === targetGroupArn));
    const targetGroup = this.targetGroups.get(targetGroupArn);
    if (!listener || !targetGroup) throw new Error(`no listener forwards to its target group ${targetGroupArn}`);
    this.balancer = await Balancer.start({
      addresses: this.addresses,
      port: listener.Port,
      targets: this.tasks.map(({ address, port }) => `${address}:${port}`),
      sticky: attribute(targetGroup.TargetGroupAttributes, 'stickiness.enabled') === 'true',
      idleTimeoutSeconds: Number(attribute(listener.ListenerAttributes, 'tcp.idle_timeout.seconds') ?? 350),
      maxSessions: this.options.maxSessions,
    });
    this.site.teardown.defer('balancer', () => this.balancer!.stop());
  }
}

function attribute(attributes: readonly { readonly Key: string; readonly Value: string }[] = [], key: string): string | undefined {
  return attributes.find(({ Key }) => Key === key)?.Value;
}
