import { chmod, chown, cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { AssemblyStack } from '../../assembly/environment-assembly';
import { referencedIds } from '../../assembly/template';
import { poolerContainerName, poolerEnvironment, poolerImageFiles } from '../../tier/pooler/pooler.contract';
import { Child } from '../engines/child';
import { debianTools, type Tool } from '../engines/debian-tools';
import { runsAsRoot, unprivilegedUid } from '../engines/unprivileged-user';
import { accepts, Balancer } from '../network/balancer';
import type { Site } from '../site';
import type { ResourceMaker, ResourceRequest } from './deployment';

/** A PgBouncer of the service. */
export interface PoolerTask {
  readonly address: string;
  readonly port: number;
  readonly process: Child;
}

interface ContainerDefinition {
  readonly Name: string;
  readonly Image: string;
  readonly Environment?: readonly { readonly Name: string; readonly Value: string }[];
  readonly Secrets?: readonly { readonly Name: string; readonly ValueFrom: string }[];
  readonly PortMappings?: readonly { readonly ContainerPort: number }[];
}

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
  readonly LoadBalancers: readonly { readonly ContainerName: string; readonly ContainerPort: number; readonly TargetGroupArn: string }[];
}

/**
 * How many application hosts the balancer is seen from. Each has an address of its own here, since connections on one
 * machine cannot be told apart by where they come from.
 */
const applicationHosts = 4;

/** PgBouncer's tasks by the image's own entrypoint, behind haproxy in place of the network load balancer. */
export class PoolerService {
  readonly tasks: PoolerTask[] = [];
  /** Where clients connect: one address for each application host. */
  readonly addresses: string[] = [];
  private readonly containers = new Map<string, ContainerDefinition>();
  private readonly targetGroups = new Map<string, TargetGroupProperties>();
  private readonly listeners: ListenerProperties[] = [];

  constructor(
    private readonly site: Site,
    /** Sessions that the balancer must carry. */
    private readonly maxSessions: number,
    /** How many tasks to start. @default - as many as autoscaling starts with */
    private readonly wishedTasks?: number,
  ) {}

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
    make: ({ logicalId, properties }) => {
      const { ContainerDefinitions: containers } = properties as { ContainerDefinitions: readonly ContainerDefinition[] };
      const container = containers.find(({ Name }) => Name === poolerContainerName);
      if (!container) throw new Error(`it has no container "${poolerContainerName}"`);
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
      for (let task = 1; task <= (this.wishedTasks ?? fewestTasks(request)); task++) await this.startTask(`task-${task}`, container, request.stack);
      await this.startBalancer(target.TargetGroupArn);
      return { ref: request.logicalId, attributes: { Name: request.logicalId, ServiceArn: request.logicalId } };
    },
  };

  private async startTask(name: string, container: ContainerDefinition, stack: AssemblyStack): Promise<void> {
    const image = stack.imageDirectory(container.Image.split(':').at(-1) ?? '');
    if (!image) throw new Error(`the assembly has no build context of the image ${container.Image}`);
    const address = this.site.addresses.next();
    const directory = join(this.site.directory, name);
    const runDirectory = join(directory, 'run');
    await cp(image, directory, { recursive: true });
    await mkdir(runDirectory, { mode: 0o700 });
    if (runsAsRoot) await chown(runDirectory, unprivilegedUid, unprivilegedUid);
    const { pgbouncer, openssl } = await debianTools();
    const process = new Child({
      name: `pooler ${name}`,
      command: 'bash',
      args: [join(directory, poolerImageFiles.entrypoint)],
      uid: unprivilegedUid,
      environment: {
        PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        ...Object.fromEntries((container.Environment ?? []).map(({ Name, Value }) => [Name, Value])),
        ...Object.fromEntries((container.Secrets ?? []).map(({ Name, ValueFrom }) => [Name, this.secretValue(ValueFrom)])),
        [poolerEnvironment.listenAddress]: address,
        [poolerEnvironment.runDirectory]: runDirectory,
        [poolerEnvironment.serverTlsCaFile]: this.site.authorityFile,
        [poolerEnvironment.resolvConf]: this.site.resolvConfFile,
        [poolerEnvironment.binary]: await writeWrapper(join(directory, 'pgbouncer'), pgbouncer),
        [poolerEnvironment.openssl]: await writeWrapper(join(directory, 'openssl'), openssl),
      },
    });
    // No client here waits for a slow goodbye: the drain is for a rolling deployment.
    this.site.teardown.defer(`pooler ${name}`, () => process.stop('SIGKILL'));
    const port = container.PortMappings?.[0]?.ContainerPort ?? 0;
    await untilListening(process, address, port);
    this.tasks.push({ address, port, process });
    this.site.aws.ecs.addTask(address);
  }

  private async startBalancer(targetGroupArn: string): Promise<void> {
    const listener = this.listeners.find(({ DefaultActions }) => DefaultActions.some((action) => action.TargetGroupArn === targetGroupArn));
    const targetGroup = this.targetGroups.get(targetGroupArn);
    if (!listener || !targetGroup) throw new Error(`no listener forwards to its target group ${targetGroupArn}`);
    const balancer = await Balancer.start({
      addresses: this.addresses,
      port: listener.Port,
      targets: this.tasks.map(({ address, port }) => `${address}:${port}`),
      sticky: attribute(targetGroup.TargetGroupAttributes, 'stickiness.enabled') === 'true',
      idleTimeoutSeconds: Number(attribute(listener.ListenerAttributes, 'tcp.idle_timeout.seconds') ?? 350),
      maxSessions: this.maxSessions,
    });
    this.site.teardown.defer('balancer', () => balancer.stop());
  }

  /** `arn` is the whole secret, `arn:key::` one key of its JSON. */
  private secretValue(valueFrom: string): string {
    const [arn, key] = [valueFrom.split(':').slice(0, 7).join(':'), valueFrom.split(':')[7]];
    return key ? (this.site.aws.secrets.json(arn)[key] ?? '') : this.site.aws.secrets.text(arn);
  }
}

/** @throws Error with the end of its log, if PgBouncer ends before it listens */
export async function untilListening(process: Child, address: string, port: number): Promise<void> {
  while (!(await accepts(address, port))) {
    if (!process.isRunning) throw new Error(`PgBouncer did not start on ${address}:${port}; the end of its log:\n${process.logTail(8)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What autoscaling starts with; the scalable target refers to the service, so it is not made yet. */
function fewestTasks({ logicalId, stack }: ResourceRequest): number {
  const target = Object.values(stack.template.Resources).find(
    ({ Type, Properties }) => Type === 'AWS::ApplicationAutoScaling::ScalableTarget' && referencedIds(Properties?.ResourceId).includes(logicalId),
  );
  return Number(target?.Properties?.MinCapacity ?? 1);
}

function attribute(attributes: readonly { readonly Key: string; readonly Value: string }[] = [], key: string): string | undefined {
  return attributes.find(({ Key }) => Key === key)?.Value;
}

/** A program that calls the tool: the entrypoint takes one path. */
async function writeWrapper(path: string, { command, args }: Tool): Promise<string> {
  const words = [command, ...args].map((word) => `'${word.replace(/'/g, `'\\''`)}'`).join(' ');
  await writeFile(path, `#!/bin/sh\nexec ${words} "$@"\n`);
  await chmod(path, 0o755);
  return path;
}
