/** CloudWatch's unit of a metric. */
export type Unit = 'Count' | 'Percent' | 'Seconds' | 'Milliseconds' | 'Count/Second';

interface MetricDefinition {
  readonly unit: Unit;
  /** What it says, in one sentence. */
  readonly what: string;
}

/** Of the whole pooler: sums over its tasks. */
export const poolerMetrics = {
  PoolerTasksReached: { unit: 'Count', what: 'tasks whose admin console answered' },
  PoolerTasksUnreachable: { unit: 'Count', what: 'running tasks whose admin console did not answer within seconds: frozen, or out of reach' },
  ClientConnections: { unit: 'Count', what: 'clients that are logged in' },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

/** Of a pool: one alias that clients connect to, over every task. */
export const poolMetrics = {
  ClientsActive: { unit: 'Count', what: 'clients that hold a server connection, or hold none and wait for none' },
  ClientsWaiting: { unit: 'Count', what: 'clients that wait for a server connection' },
  LongestClientWait: { unit: 'Seconds', what: 'how long the first of them has waited' },
  PoolUse: { unit: 'Percent', what: 'server connections at work, of all that the tasks may open' },
  TransactionsPerSecond: { unit: 'Count/Second', what: 'transactions, over the last minute' },
  AverageQueryTime: { unit: 'Milliseconds', what: 'time of a query on the server, over the last minute' },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

/** Of an instance. */
export const instanceMetrics = {
  InstanceReached: { unit: 'Count', what: '1 if it answered the collector, else 0' },
  ConnectionUse: { unit: 'Percent', what: 'sessions, of those that the connection budget foresees' },
  ConnectionsActive: { unit: 'Count', what: 'sessions that run a statement' },
  ConnectionsIdle: { unit: 'Count', what: 'sessions that wait for their client, outside a transaction' },
  ConnectionsIdleInTransaction: { unit: 'Count', what: 'sessions that hold a transaction open and do nothing' },
  SessionsBlocked: { unit: 'Count', what: 'sessions that wait for a lock of another' },
  SessionsWaiting: { unit: 'Count', what: 'sessions that wait inside a statement for anything but a lock: storage, WAL, a buffer' },
  LongestTransaction: { unit: 'Seconds', what: 'age of the oldest transaction of a client' },
  LongestQuery: { unit: 'Seconds', what: 'age of the oldest statement of a client' },
  CacheHits: { unit: 'Percent', what: 'blocks found in shared buffers, since the statistics were reset' },
  SlowStatements: { unit: 'Count', what: 'statements of pg_stat_statements whose mean is over 100 ms' },
  WraparoundAge: { unit: 'Count', what: 'transactions since the oldest one that is not frozen' },
  ReplicationDelay: { unit: 'Seconds', what: 'of a replica: age of the last transaction that it has replayed, while it has more to replay or receives nothing' },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export type PoolerMetric = keyof typeof poolerMetrics;
export type PoolMetric = keyof typeof poolMetrics;
export type InstanceMetric = keyof typeof instanceMetrics;

/** Metrics that the collector and the index function make CloudWatch bill each month: one for each name and set of dimensions. */
export function monthlyMetricCount(pools: number, instances: number, indexMetricCount: number): number {
  const count = (definitions: object): number => Object.keys(definitions).length;
  // Only replicas have a delay, and there is one instance that is none.
  return count(poolerMetrics) + pools * count(poolMetrics) + instances * count(instanceMetrics) - 1 + indexMetricCount;
}
