import { DescribeTasksCommand, type ECSClient, paginateListTasks } from '@aws-sdk/client-ecs';

/** The service whose tasks are asked for. */
export interface ServiceOfCluster {
  readonly cluster: string;
  readonly service: string;
}

/** Addresses of the service's tasks that run: as ECS wishes it, or on their way out of the balancer. */
export async function taskAddresses(ecs: ECSClient, { cluster, service }: ServiceOfCluster, desiredStatus: 'RUNNING' | 'STOPPED' = 'RUNNING'): Promise<readonly string[]> {
  const addresses: string[] = [];
  for await (const { taskArns = [] } of paginateListTasks({ client: ecs }, { cluster, serviceName: service, desiredStatus })) {
    if (taskArns.length === 0) continue;
    const { tasks = [] } = await ecs.send(new DescribeTasksCommand({ cluster, tasks: taskArns }));
    const details = tasks.filter(({ lastStatus }) => clientsMayCome.has(lastStatus ?? '')).flatMap(({ attachments = [] }) => attachments.flatMap((attachment) => attachment.details ?? []));
    addresses.push(...details.flatMap(({ name, value }) => (name === 'privateIPv4Address' && value !== undefined ? [value] : [])));
  }
  return addresses;
}

/** A task that leaves is first taken out of the balancer, which goes on sending it some, and then drains. */
const clientsMayCome = new Set(['RUNNING', 'DEACTIVATING', 'STOPPING']);
