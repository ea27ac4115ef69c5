import { budgetedConnections } from '../../config/connection-budget';
import { findInstanceClass } from '../../config/instance-classes';
import type { ResolvedTierConfig } from '../../config/resolve-config';
import type { IndexMetric } from '../indexes/index-metrics';
import type { RdsMetric, ServiceMetric, TargetMetric } from './aws-metrics';
import type { LogMetric } from './log-filters';
import type { InstanceMetric, PoolerMetric, PoolMetric } from './metric-catalogue';

/** Where a metric comes from. `instance` is `primary` or the name of a replica. */
export type MetricSource =
  | { readonly from: 'RDS'; readonly instance: string; readonly name: RdsMetric }
  | { readonly from: 'load balancer'; readonly name: TargetMetric }
  | { readonly from: 'ECS'; readonly name: ServiceMetric }
  | { readonly from: 'collector'; readonly name: PoolerMetric | IndexMetric }
  | { readonly from: 'collector'; readonly pool: string; readonly name: PoolMetric }
  | { readonly from: 'collector'; readonly instance: string; readonly name: InstanceMetric }
  | { readonly from: 'log'; readonly name: LogMetric };

export interface AlarmDefinition {
  /** Construct id; the name in CloudWatch follows from it. */
  readonly id: string;
  readonly metric: MetricSource;
  readonly statistic: 'Average' | 'Maximum' | 'Minimum' | 'Sum';
  readonly comparison: '>' | '<';
  readonly threshold: number;
  /** Unit of the threshold, for people. */
  readonly unit: string;
  readonly periodSeconds: 60 | 300 | 3600;
  /** So many periods in a row. */
  readonly periods: number;
  /** What a missing figure means. */
  readonly missing: 'breaching' | 'notBreaching';
  /** `critical`: users feel it, now or soon; the composite alarm listens to these. */
  readonly severity: 'critical' | 'warning';
  /** One sentence: what to do first. */
  readonly first: string;
  /** Heading of the runbook's section. */
  readonly runbook: string;
}

const mib = 2 ** 20;
const gib = 2 ** 30;
const minutes = (count: number) => ({ periodSeconds: 60, periods: count }) as const;
const fiveMinutes = (count: number) => ({ periodSeconds: 300, periods: count }) as const;
const max = (threshold: number, unit: string) => ({ statistic: 'Maximum', comparison: '>', threshold, unit }) as const;
const average = (threshold: number, unit: string) => ({ statistic: 'Average', comparison: '>', threshold, unit }) as const;
const below = (threshold: number, unit: string) => ({ statistic: 'Minimum', comparison: '<', threshold, unit }) as const;
const counted = (threshold: number, unit: string) => ({ statistic: 'Sum', comparison: '>', threshold, unit }) as const;
const quiet = { missing: 'notBreaching' } as const;
const silent = { missing: 'breaching' } as const;
const critical = { severity: 'critical' } as const;
const warning = { severity: 'warning' } as const;

/** Every alarm of an environment; thresholds follow from its configuration. */
export function alarmCatalogue(config: ResolvedTierConfig): readonly AlarmDefinition[] {
  const { database, replicas } = config;
  return [
    ...instanceAlarms('primary', database, config),
    {
      id: 'primary-wraparound', metric: { from: 'RDS', instance: 'primary', name: 'MaximumUsedTransactionIDs' }, ...max(1e9, 'transactions'), ...fiveMinutes(3), ...quiet, ...critical,
      first: 'find what holds vacuum back: the oldest transaction, a replication slot, a prepared transaction', runbook: 'Transaction ids run out',
    },
    ...Object.entries(replicas).flatMap(([name, replica]) => [
      ...instanceAlarms(name, replica, config),
      {
        id: `${name}-lag`, metric: { from: 'RDS', instance: name, name: 'ReplicaLag' }, ...max(60, 'seconds'), ...minutes(5), ...silent, ...critical,
        first: 'see whether the primary writes more than usual, or a long read on the replica holds replay back', runbook: 'A replica is behind',
      } as const,
      // RDS tells a lag of -1 where replication has stopped.
      {
        id: `${name}-delay`, metric: { from: 'collector', instance: name, name: 'ReplicationDelay' }, ...max(60, 'seconds'), ...minutes(5), ...quiet, ...critical,
        first: 'see whether it receives anything at all: npm run diagnose', runbook: 'A replica is behind',
      } as const,
    ]),
    ...poolerAlarms(config),
    ...logAlarms(),
    ...indexAlarms(),
  ]; // prettier-ignore
}

interface InstanceFacts {
  readonly instanceClass: string;
}

function instanceAlarms(instance: string, { instanceClass }: InstanceFacts, config: ResolvedTierConfig): readonly AlarmDefinition[] {
  const { storage } = config.database;
  const budgeted = budgetedConnections(config)[instance]!;
  const { vCpus, memoryMiB, burstable } = findInstanceClass(instanceClass)!;
  const rds = (name: RdsMetric) => ({ from: 'RDS', instance, name }) as const;
  const own = (name: InstanceMetric) => ({ from: 'collector', instance, name }) as const;
  return [
    { id: `${instance}-cpu`, metric: rds('CPUUtilization'), ...average(70, '%'), ...fiveMinutes(3), ...quiet, ...warning, first: 'look at the statements that take most of the time', runbook: 'The CPU of an instance is busy' },
    { id: `${instance}-cpu-critical`, metric: rds('CPUUtilization'), ...average(80, '%'), ...fiveMinutes(3), ...silent, ...critical, first: 'look at the statements that take most of the time', runbook: 'The CPU of an instance is busy' },
    { id: `${instance}-load`, metric: rds('DBLoad'), ...average(vCpus, 'sessions'), ...fiveMinutes(3), ...quiet, ...warning, first: `more sessions work or wait than it has vCPUs (${vCpus}); see in Database Insights what they wait for`, runbook: 'The CPU of an instance is busy' },
    { id: `${instance}-connections`, metric: rds('DatabaseConnections'), ...max(Math.floor(0.6 * budgeted), `of ${budgeted} budgeted connections`), ...minutes(5), ...quiet, ...warning, first: 'see who holds the sessions, by role and application_name', runbook: 'Connections run out' },
    { id: `${instance}-connections-critical`, metric: rds('DatabaseConnections'), ...max(Math.floor(0.8 * budgeted), `of ${budgeted} budgeted connections`), ...minutes(5), ...quiet, ...critical, first: 'see who holds the sessions, by role and application_name', runbook: 'Connections run out' },
    { id: `${instance}-memory`, metric: rds('FreeableMemory'), ...below(0.1 * memoryMiB * mib, `bytes of ${memoryMiB} MiB`), ...fiveMinutes(3), ...quiet, ...warning, first: 'see whether sessions or work_mem have grown', runbook: 'Memory or storage run out' },
    { id: `${instance}-storage`, metric: rds('FreeStorageSpace'), ...below(0.15 * storage.sizeGiB * gib, `bytes of ${storage.sizeGiB} GiB`), ...fiveMinutes(3), ...quiet, ...critical, first: 'see whether a replication slot keeps WAL, then raise storage.sizeGiB', runbook: 'Memory or storage run out' },
    { id: `${instance}-disk-queue`, metric: rds('DiskQueueDepth'), ...average(64, 'operations'), ...fiveMinutes(3), ...quiet, ...warning, first: 'see which statements read most from storage', runbook: 'Memory or storage run out' },
    ...(burstable ? [{ id: `${instance}-credits`, metric: rds('CPUCreditBalance'), ...below(100, 'credits'), ...fiveMinutes(3), ...quiet, ...warning, first: 'choose a class that does not live on credits', runbook: 'The CPU of an instance is busy' } as const] : []),
    { id: `${instance}-silent`, metric: own('InstanceReached'), ...below(1, 'answers a minute'), ...minutes(5), ...silent, ...critical, first: 'see whether the instance is available, then the log of the collector', runbook: 'An instance or a task does not answer' },
    { id: `${instance}-long-transaction`, metric: own('LongestTransaction'), ...max(900, 'seconds'), ...minutes(3), ...quiet, ...warning, first: 'find its session and ask its owner; it holds vacuum and index builds back', runbook: 'A transaction stays open' },
    { id: `${instance}-blocked`, metric: own('SessionsBlocked'), ...max(5, 'sessions'), ...minutes(5), ...quiet, ...critical, first: 'find who blocks whom with pg_blocking_pids, and end the first of them', runbook: 'Sessions block each other' },
  ]; // prettier-ignore
}

function poolerAlarms(config: ResolvedTierConfig): readonly AlarmDefinition[] {
  const { pooler, database } = config;
  const aliases = [database.databaseName, `${database.databaseName}_ro`];
  // Not what all tasks together have room for: by source address, most clients may end on one of them.
  const clients = pooler.maxClientConnections;
  return [
    ...aliases.flatMap((pool): AlarmDefinition[] => {
      const own = (name: PoolMetric) => ({ from: 'collector', pool, name }) as const;
      return [
        { id: `${pool}-pool-use`, metric: own('PoolUse'), ...average(75, '%'), ...minutes(15), ...quiet, ...warning, first: 'see whether transactions have become longer before the pool is made larger', runbook: 'The pool is full' },
        { id: `${pool}-client-wait`, metric: own('LongestClientWait'), ...max(1, 'seconds'), ...minutes(3), ...quiet, ...warning, first: 'see what the server connections are doing: SHOW POOLS, then pg_stat_activity', runbook: 'The pool is full' },
        { id: `${pool}-client-wait-critical`, metric: own('LongestClientWait'), ...max(5, 'seconds'), ...minutes(2), ...quiet, ...critical, first: 'see what the server connections are doing: SHOW POOLS, then pg_stat_activity', runbook: 'The pool is full' },
      ];
    }),
    { id: 'pooler-clients', metric: { from: 'collector', name: 'ClientConnections' }, ...max(Math.floor(0.8 * clients), `of ${clients} clients`), ...minutes(5), ...quiet, ...warning, first: 'see which application opens them, with SHOW CLIENTS', runbook: 'Connections run out' },
    { id: 'pooler-unreachable', metric: { from: 'collector', name: 'PoolerTasksUnreachable' }, ...max(0, 'tasks'), ...minutes(3), ...quiet, ...critical, first: 'stop the task: ECS starts another one', runbook: 'An instance or a task does not answer' },
    { id: 'pooler-silent', metric: { from: 'collector', name: 'PoolerTasksReached' }, ...below(1, 'tasks'), ...minutes(5), ...silent, ...critical, first: 'see whether the service runs, then the log of the collector', runbook: 'An instance or a task does not answer' },
    { id: 'pooler-cpu', metric: { from: 'ECS', name: 'CPUUtilization' }, ...average(70, '% of a task, whose PgBouncer has one thread'), ...fiveMinutes(3), ...quiet, ...warning, first: 'raise maxTasks if autoscaling has reached it', runbook: 'The pooler is busy' },
    { id: 'pooler-memory', metric: { from: 'ECS', name: 'MemoryUtilization' }, ...average(80, '%'), ...fiveMinutes(3), ...quiet, ...warning, first: 'see how many clients are logged in', runbook: 'The pooler is busy' },
    { id: 'pooler-unhealthy', metric: { from: 'load balancer', name: 'UnHealthyHostCount' }, ...max(0, 'tasks'), ...minutes(3), ...quiet, ...critical, first: 'see the events of the service and the log of the task', runbook: 'An instance or a task does not answer' },
    { id: 'pooler-too-few', metric: { from: 'load balancer', name: 'HealthyHostCount' }, ...below(pooler.minTasks, `tasks of ${pooler.minTasks}`), ...minutes(3), ...silent, ...critical, first: 'see the events of the service: why does it not start a task?', runbook: 'An instance or a task does not answer' },
  ]; // prettier-ignore
}

function logAlarms(): readonly AlarmDefinition[] {
  const log = (name: LogMetric) => ({ from: 'log', name }) as const;
  return [
    { id: 'slow-queries', metric: log('SlowQueries'), ...counted(50, 'lines in 5 minutes'), ...fiveMinutes(3), ...quiet, ...warning, first: 'look at the slow query log, and at the plans of what stands in it', runbook: 'Queries are slow' },
    { id: 'pooler-logins-refused', metric: log('PoolerLoginsRefused'), ...counted(10, 'lines in 5 minutes'), ...fiveMinutes(1), ...quiet, ...critical, first: 'see which user it is, and whether its secret was rotated while a client kept the old one', runbook: 'Authentication fails' },
    { id: 'database-logins-refused', metric: log('DatabaseLoginsRefused'), ...counted(10, 'lines in 5 minutes'), ...fiveMinutes(1), ...quiet, ...warning, first: 'see which user it is and where it comes from', runbook: 'Authentication fails' },
    { id: 'server-logins-failed', metric: log('ServerLoginsFailed'), ...counted(0, 'lines in 5 minutes'), ...fiveMinutes(2), ...quiet, ...critical, first: 'compare the userlist secret with the database: the bootstrap of roles makes both', runbook: 'Authentication fails' },
    { id: 'pool-wait-timeouts', metric: log('PoolWaitTimeouts'), ...counted(0, 'lines in 5 minutes'), ...fiveMinutes(1), ...quiet, ...critical, first: 'clients were refused: see what the server connections are doing', runbook: 'The pool is full' },
    { id: 'statement-timeouts', metric: log('StatementTimeouts'), ...counted(20, 'lines in 5 minutes'), ...fiveMinutes(2), ...quiet, ...warning, first: 'see which statement it is; a plan may have changed', runbook: 'Queries are slow' },
    { id: 'transaction-timeouts', metric: log('TransactionTimeouts'), ...counted(5, 'lines in 5 minutes'), ...fiveMinutes(2), ...quiet, ...warning, first: 'find the code that opens a transaction and then does something else', runbook: 'A transaction stays open' },
    { id: 'deadlocks', metric: log('Deadlocks'), ...counted(5, 'in 5 minutes'), ...fiveMinutes(2), ...quiet, ...warning, first: 'see both statements in the log, and let the code take its locks in one order', runbook: 'Sessions block each other' },
    { id: 'recovery-conflicts', metric: log('RecoveryConflicts'), ...counted(5, 'in 5 minutes'), ...fiveMinutes(3), ...quiet, ...warning, first: 'move the long read off the replica that users read from', runbook: 'A replica is behind' },
  ]; // prettier-ignore
}

function indexAlarms(): readonly AlarmDefinition[] {
  const own = (name: IndexMetric) => ({ from: 'collector', name }) as const;
  const runbook = 'An index is not as it should be';
  return [
    { id: 'indexes-invalid', metric: own('IndexesInvalid'), ...max(0, 'indexes'), ...fiveMinutes(6), ...quiet, ...warning, first: 'run npm run indexes -- status', runbook },
    { id: 'indexes-failed', metric: own('IndexesFailed'), ...max(0, 'indexes'), ...fiveMinutes(3), ...quiet, ...warning, first: 'run npm run indexes -- status: it says what is wrong and what to do', runbook },
    { id: 'indexes-drifted', metric: own('IndexesDrifted'), ...max(0, 'indexes'), ...fiveMinutes(3), ...quiet, ...warning, first: 'find out who changed it and why; npm run indexes -- retry makes it right', runbook },
    { id: 'indexes-unfinished', metric: own('IndexesUnfinished'), statistic: 'Minimum', comparison: '>', threshold: 0, unit: 'indexes', periodSeconds: 3600, periods: 6, ...quiet, ...warning, first: 'run npm run indexes -- status: it says who is waited for', runbook },
  ]; // prettier-ignore
}
