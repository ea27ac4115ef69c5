import { DescribeTasksCommand, ECSClient, paginateListTasks } from '@aws-sdk/client-ecs';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

import { connect, readCredentials } from '../database/connect';
import { databaseEnvironment } from '../database/database.contract';
import { logEvent, requiredVariable } from '../function-runtime';
import { connectPooler } from '../pooler/connect-pooler';
import { collect, type Source } from './collector';
import { publishMetrics } from './embedded-metrics';
import { collectorEnvironment } from './monitoring.contract';

const secrets = new SecretsManagerClient();
const ecs = new ECSClient();

/** Each minute: asks every instance and every task of the pooler, and writes what they said as metrics. */
export async function handler(): Promise<void> {
  const credentials = await readCredentials(secrets, requiredVariable(process.env, databaseEnvironment.secretArn));
  const database = { port: Number(requiredVariable(process.env, databaseEnvironment.port)), database: requiredVariable(process.env, databaseEnvironment.name) };
  const instances = requiredVariable(process.env, collectorEnvironment.instances)
    .split(',')
    .map((entry): Source => {
      const [name = '', host = ''] = entry.split('=');
      return { name, connect: () => connect({ host, ...database }, credentials, 'collector') };
    });
  // A pooler whose tasks cannot be listed must not hide the instances.
  const addresses = await taskAddresses().catch((error: Error) => {
    logEvent({ event: 'not reached', source: 'ECS', problem: error.message });
    return [];
  });
  const tasks = addresses.map((host): Source => ({ name: host, connect: () => connectPooler({ host, port: Number(requiredVariable(process.env, collectorEnvironment.poolerPort)), database: 'pgbouncer' }, credentials) }));
  const sets = await collect({ environmentName: requiredVariable(process.env, collectorEnvironment.environmentName), instances, tasks, log: logEvent });
  for (const set of sets) publishMetrics(set);
}

/** Addresses of the running tasks. */
async function taskAddresses(): Promise<readonly string[]> {
  const of = { cluster: requiredVariable(process.env, collectorEnvironment.cluster), serviceName: requiredVariable(process.env, collectorEnvironment.service), desiredStatus: 'RUNNING' as const };
  const addresses: string[] = [];
  for await (const { taskArns = [] } of paginateListTasks({ client: ecs }, of)) {
    if (taskArns.length === 0) continue;
    const { tasks = [] } = await ecs.send(new DescribeTasksCommand({ cluster: of.cluster, tasks: taskArns }));
    const details = tasks.filter(({ lastStatus }) => lastStatus === 'RUNNING').flatMap(({ attachments = [] }) => attachments.flatMap((attachment) => attachment.details ?? []));
    addresses.push(...details.flatMap(({ name, value }) => (name === 'privateIPv4Address' && value !== undefined ? [value] : [])));
  }
  return addresses;
}
