import { randomUUID } from 'node:crypto';

import { AwsError, type AwsService } from './aws-endpoint';

const target = 'AmazonEC2ContainerServiceV20141113.';
const arnPrefix = 'arn:aws:ecs:eu-central-1:000000000000';

/** What DescribeServices tells of one deployment of a service. */
export interface EcsDeployment {
  readonly id: string;
  readonly rolloutState: 'IN_PROGRESS' | 'COMPLETED' | 'FAILED';
  readonly rolloutStateReason: string;
  readonly desiredCount: number;
  readonly runningCount: number;
  readonly pendingCount: number;
  readonly failedTasks: number;
  readonly createdAt: Date;
}

/** A service that ECS would keep running. */
export interface EcsService {
  readonly name: string;
  /** The newest first; the others are those that it replaces, as long as they have tasks. */
  readonly deployments: () => readonly EcsDeployment[];
  /** Starts to replace every task, and returns before that has happened. */
  readonly forceNewDeployment: () => void;
}

interface EcsTask {
  readonly address: string;
  /** `STOPPED` as soon as ECS means to stop it, which is when it is taken out of the balancer. */
  desiredStatus: 'RUNNING' | 'STOPPED';
}

interface Request {
  readonly desiredStatus?: EcsTask['desiredStatus'];
  readonly tasks?: readonly string[];
  readonly service?: string;
  readonly services?: readonly string[];
  readonly forceNewDeployment?: boolean;
}

/**
 * Services and their tasks with the part of ECS's API that the tier's functions use.
 *
 * @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html
 */
export class Ecs implements AwsService {
  private readonly tasks = new Map<string, EcsTask>();
  private readonly services = new Map<string, EcsService>();

  addService(service: EcsService): void {
    this.services.set(service.name, service);
  }

  /** Adds a running task. */
  addTask(address: string): void {
    this.tasks.set(`${arnPrefix}:task/rehearsal/${randomUUID().replaceAll('-', '')}`, { address, desiredStatus: 'RUNNING' });
  }

  /** The task is on its way out: connections may still reach it. */
  deactivateTask(address: string): void {
    for (const task of this.tasks.values()) if (task.address === address) task.desiredStatus = 'STOPPED';
  }

  /** The task has ended. */
  removeTask(address: string): void {
    for (const [arn, task] of this.tasks) if (task.address === address) this.tasks.delete(arn);
  }

  handles(headers: Readonly<Record<string, string | undefined>>): boolean {
    return headers['x-amz-target']?.startsWith(target) ?? false;
  }

  answer(headers: Readonly<Record<string, string | undefined>>, body: string): { readonly action: string; readonly contentType: string; readonly body: string } {
    const action = headers['x-amz-target']!.slice(target.length);
    const operation = this.operations[action];
    if (!operation) throw new AwsError(400, 'InvalidParameterException', `ECS's ${action} is not known to the rehearsal`);
    return { action, contentType: 'application/x-amz-json-1.1', body: JSON.stringify(operation(JSON.parse(body) as Request)) };
  }

  errorBody({ code, message }: AwsError): string {
    return JSON.stringify({ __type: code, message });
  }

  private readonly operations: Readonly<Record<string, (request: Request) => object>> = {
    ListTasks: ({ desiredStatus = 'RUNNING' }) => ({ taskArns: [...this.tasks].filter(([, task]) => task.desiredStatus === desiredStatus).map(([arn]) => arn) }),
    DescribeTasks: ({ tasks = [] }) => ({
      tasks: tasks.filter((arn) => this.tasks.has(arn)).map((arn) => describeTask(arn, this.tasks.get(arn)!)),
      failures: tasks.filter((arn) => !this.tasks.has(arn)).map((arn) => ({ arn, reason: 'MISSING' })),
    }),
    DescribeServices: ({ services = [] }) => ({ services: services.map((name) => this.describeService(name)), failures: [] }),
    UpdateService: ({ service = '', forceNewDeployment }) => {
      const found = this.service(service);
      if (!forceNewDeployment) throw new AwsError(400, 'InvalidParameterException', 'UpdateService without forceNewDeployment is not known to the rehearsal');
      found.forceNewDeployment();
      return { service: this.describeService(service) };
    },
  };

  private service(nameOrArn: string): EcsService {
    const service = this.services.get(nameOrArn.split('/').at(-1)!);
    if (!service) throw new AwsError(400, 'ServiceNotFoundException', 'Service not found.');
    return service;
  }

  private describeService(nameOrArn: string): object {
    const { name, deployments } = this.service(nameOrArn);
    const all = deployments();
    const sum = (count: 'runningCount' | 'pendingCount'): number => all.reduce((total, deployment) => total + deployment[count], 0);
    return {
      serviceName: name,
      serviceArn: `${arnPrefix}:service/rehearsal/${name}`,
      status: 'ACTIVE',
      desiredCount: all[0]?.desiredCount,
      runningCount: sum('runningCount'),
      pendingCount: sum('pendingCount'),
      deployments: all.map((deployment, index) => ({ ...deployment, status: index === 0 ? 'PRIMARY' : 'ACTIVE', createdAt: deployment.createdAt.getTime() / 1000 })),
    };
  }
}

function describeTask(taskArn: string, { address, desiredStatus }: EcsTask): object {
  return {
    taskArn,
    desiredStatus,
    lastStatus: desiredStatus === 'RUNNING' ? 'RUNNING' : 'DEACTIVATING',
    attachments: [{ type: 'ElasticNetworkInterface', details: [{ name: 'privateIPv4Address', value: address }] }],
  };
}
