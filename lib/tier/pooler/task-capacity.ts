import type { ResolvedTierConfig } from '../../config/resolve-config';

/** Tasks that a rolling deployment may run at once, percent of those wished for: all old ones beside all new ones. */
export const maximumHealthyPercent = 200;

/** After which the balancer forgets a connection without traffic; the keepalive of both ends must be shorter. */
export const balancerIdleTimeoutSeconds = 350;

/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html#container_definition_limits */
const openFilesOnFargate = 65_535;

/** Log, listening sockets, resolver and headroom. */
const otherOpenFiles = 200;

/** Sessions of a task's console that must find room beside full clients: collector, diagnosis, rotation, people. */
const consoleSessions = 10;

/** Measured with TLS: 31 MB for each 1,000 clients that come at once, 17 MB once they are idle. */
const kibPerClient = 32;

/** Part of a task's memory that clients may take; the rest is for server connections, TLS sessions and spikes. */
const memoryShareOfClients = 0.75;

/** What one task carries. */
export interface TaskCapacity {
  /** `max_db_connections` of the alias of the primary. */
  readonly serverConnections: number;
  /** `max_db_connections` of the alias of the replicas, over all of them. */
  readonly readOnlyServerConnections: number;
  /** `max_client_conn`. */
  readonly clientConnections: number;
  readonly openFiles: number;
}

/** Divides what the whole service carries among its tasks. */
export function taskCapacity(pooler: ResolvedTierConfig['pooler']): TaskCapacity {
  const { maxTasks, minTasks, maxClientConnections, sourceIpStickiness } = pooler;
  const serverConnections = Math.floor(pooler.poolSize / maxTasks);
  const readOnlyServerConnections = Math.floor(pooler.readOnlyPoolSize / maxTasks);
  // By source address, all hosts of an application may end on one task. Else a quarter on top: no spread is even.
  const applicationClients = sourceIpStickiness ? maxClientConnections : Math.ceil((maxClientConnections / minTasks) * 1.25);
  const clientConnections = applicationClients + consoleSessions;
  return {
    serverConnections,
    readOnlyServerConnections,
    clientConnections,
    openFiles: clientConnections + serverConnections + readOnlyServerConnections + otherOpenFiles,
  };
}

/** What a task could not carry, one sentence each. */
export function taskCapacityProblems(pooler: ResolvedTierConfig['pooler']): readonly string[] {
  const { maxTasks, maxClientConnections, taskMemoryMiB } = pooler;
  const problems: string[] = [];
  for (const field of ['poolSize', 'readOnlyPoolSize'] as const) {
    if (!Number.isInteger(pooler[field])) {
      problems.push(`${field} of ${pooler[field]} is not a whole number of connections`);
    } else if (pooler[field] < maxTasks) {
      problems.push(
        `${field} of ${pooler[field]} leaves no connection for each of ${maxTasks} tasks; raise it to at least ${maxTasks}, or lower maxTasks`,
      );
    }
  }
  const { clientConnections, openFiles } = taskCapacity(pooler);
  const clients = `maxClientConnections of ${maxClientConnections} are up to ${clientConnections} clients for one task`;
  if (openFiles > openFilesOnFargate) {
    problems.push(
      `${clients}, which needs ${openFiles} open files; Fargate gives it ${openFilesOnFargate}: lower maxClientConnections`,
    );
  }
  const memoryMiB = Math.ceil((clientConnections * kibPerClient) / 1024 / memoryShareOfClients);
  if (memoryMiB > taskMemoryMiB) {
    problems.push(
      `${clients}, which needs about ${memoryMiB} MiB; raise taskMemoryMiB (${taskMemoryMiB}) to that or more, or lower maxClientConnections`,
    );
  }
  return problems;
}
