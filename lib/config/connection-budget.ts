import { drain } from '../tier/pooler/drain';
import { maximumHealthyPercent, taskCapacity, taskCapacityProblems } from '../tier/pooler/task-capacity';
import { roleCatalogue } from '../tier/roles/role-catalogue';
import type { ResolvedTierConfig } from './resolve-config';

/** One use of an instance's connections. */
export interface BudgetRow {
  readonly use: string;
  readonly connections: number;
  /** The arithmetic, for whoever wonders. */
  readonly why: string;
}

/** What may connect to an instance at once, at worst. */
export interface InstanceBudget {
  /** `the primary`, or `replica NAME`. */
  readonly instance: string;
  readonly maxConnections: number;
  readonly rows: readonly BudgetRow[];
  readonly total: number;
}

export interface ConnectionBudget {
  readonly instances: readonly InstanceBudget[];
  /** Server connections of one task to the primary. */
  readonly poolSizePerTask: number;
  /** Server connections of one task to the replicas together. */
  readonly readOnlyPoolSizePerTask: number;
  /** Each with the value, the limit and the number to change. */
  readonly problems: readonly string[];
}

/**
 * Tasks for each one wished for. ECS holds those that it starts and those that run to the maximum, and counts no more
 * those that it has told to stop: when a deployment follows at once, a rollback for example, the tasks of the one
 * before still drain with their connections. Deployments that come faster than tasks drain add as many each; what
 * bounds them is `connectionsLeftToPooler`.
 *
 * @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html
 */
const rolloutSurge = maximumHealthyPercent / 100 + 1;

const drainMinutes = Math.ceil((drain.deregistrationDelaySeconds + drain.drainSeconds + drain.finishSeconds) / 60);

/**
 * Adds up who may connect to each instance while autoscaling is at its maximum, a deployment is under way and the one
 * before still drains. Every replica must be able to carry the read-only alias alone.
 */
export function connectionBudget(config: ResolvedTierConfig): ConnectionBudget {
  const { pooler } = config;
  const { serverConnections, readOnlyServerConnections } = taskCapacity(pooler);
  const primary = instanceBudget('the primary', config.database.maxConnections, [
    poolerRow(pooler.poolSize, serverConnections, pooler.maxTasks),
    ...roleRows(config, 'the primary'),
    {
      use: 'index builds',
      connections: config.indexTablesAtOnce + 2,
      why: `${config.indexTablesAtOnce} builders, their observer, and a build that outlived its function`,
    },
    { use: 'master', connections: 3, why: 'the bootstrap of roles' },
    reserved,
  ]);
  const replicas = Object.entries(config.replicas).map(([name, replica]) =>
    instanceBudget(`replica ${name}`, replica.maxConnections, [
      ...(replica.retiring ? [] : [poolerRow(pooler.readOnlyPoolSize, readOnlyServerConnections, pooler.maxTasks)]),
      ...roleRows(config, 'a replica'),
      reserved,
    ]),
  );
  const capacityProblems = taskCapacityProblems(pooler);
  const budgetProblems = [
    ...budgetProblem(primary, 'poolSize', config),
    ...replicas.flatMap((replica) => budgetProblem(replica, 'readOnlyPoolSize', config)),
  ];
  return {
    instances: [primary, ...replicas],
    poolSizePerTask: serverConnections,
    readOnlyPoolSizePerTask: readOnlyServerConnections,
    problems: [...capacityProblems, ...budgetProblems],
  };
}

/** What the budget foresees for each instance, by its name: `primary`, or that of the replica. */
export function budgetedConnections(config: ResolvedTierConfig): Readonly<Record<string, number>> {
  const { instances } = connectionBudget(config);
  return Object.fromEntries(['primary', ...Object.keys(config.replicas)].map((name, position) => [name, instances[position]!.total]));
}

/**
 * Connections that nobody else is promised, on the instance that has fewest. A role that comes through the pooler may
 * have no more, so that too many tasks are short of connections among themselves, and never keep migrations, rotation, index
 * builds or the collector out.
 */
export function connectionsLeftToPooler(config: ResolvedTierConfig): number {
  const left = connectionBudget(config).instances.map(({ maxConnections, rows, total }) => maxConnections - (total - ofPooler(rows)));
  return Math.max(1, Math.min(...left));
}

function ofPooler(rows: readonly BudgetRow[]): number {
  return rows.find(({ use }) => use === 'pooler')?.connections ?? 0;
}

/** https://www.postgresql.org/docs/17/runtime-config-connection.html#GUC-SUPERUSER-RESERVED-CONNECTIONS */
const reserved: BudgetRow = {
  use: 'reserved',
  connections: 5,
  why: 'superuser_reserved_connections (3) and rds.rds_superuser_reserved_connections (2)',
};

function poolerRow(poolSize: number, perTask: number, maxTasks: number): BudgetRow {
  return {
    use: 'pooler',
    connections: perTask * maxTasks * rolloutSurge,
    why: `${poolSize} over ${maxTasks} tasks are ${perTask} for each; ×${rolloutSurge} while a deployment replaces them and those of the one before drain, for up to ${drainMinutes} minutes`,
  };
}

/** Roles that come past the pooler and that the server itself holds to a limit. Only the collector visits replicas. */
function roleRows(config: ResolvedTierConfig, instance: 'the primary' | 'a replica'): readonly BudgetRow[] {
  return roleCatalogue(config, [])
    .logins.filter(({ connectionLimit }) => connectionLimit >= 0)
    .filter(({ secret }) => instance === 'the primary' || secret === 'collector')
    .map(({ name, connectionLimit }) => ({
      use: name,
      connections: connectionLimit,
      why: 'CONNECTION LIMIT of the role',
    }));
}

function instanceBudget(instance: string, maxConnections: number, rows: readonly BudgetRow[]): InstanceBudget {
  return { instance, maxConnections, rows, total: rows.reduce((sum, { connections }) => sum + connections, 0) };
}

function budgetProblem(
  budget: InstanceBudget,
  field: 'poolSize' | 'readOnlyPoolSize',
  { pooler }: ResolvedTierConfig,
): readonly string[] {
  const { instance, maxConnections, rows, total } = budget;
  if (!(total > maxConnections)) return []; // nor if one is NaN: its own field is told of
  const pool = ofPooler(rows);
  const free = Math.max(0, maxConnections - (total - pool));
  const fitting = Math.floor(free / rolloutSurge / pooler.maxTasks) * pooler.maxTasks;
  const lower = fitting > 0 ? `lower ${field} to ${fitting}, or ` : '';
  return [
    `pool of ${pooler[field]} × ${rolloutSurge} during deployments = ${pool} exceeds the ${free} connections free on ${instance}; ${lower}raise its maxConnections to ${total}`,
  ];
}
