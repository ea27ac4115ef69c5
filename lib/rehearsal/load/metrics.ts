/** What a measured figure says about its target. */
export type Verdict = 'met' | 'missed' | 'extrapolated' | 'limited by this machine';

/** A target of the guide, and how it is measured. */
export interface Metric {
  readonly name: string;
  readonly title: string;
  readonly comparison: '≥' | '<' | '≤' | '=';
  readonly target: number;
  readonly unit: string;
  /** One sentence for `--help` and the report. */
  readonly definition: string;
}

const definitions = [
  { name: 'concurrent-connections', title: 'Concurrent connections', comparison: '≥', target: 1000, unit: 'connections', definition: 'clients that send queries through the pooler at the same time, without an error' },
  { name: 'sessions', title: 'Active sessions', comparison: '≥', target: 10_000, unit: 'sessions', definition: 'clients that are logged in at the pooler at once and query now and then, without an error' },
  { name: 'indexed-query-p95', title: 'Indexed query, p95', comparison: '<', target: 50, unit: 'ms', definition: "95th percentile of a barber's day through the pooler, at half of the throughput that was measured before, from its second second on; median of three runs, beside the same load without the pooler" },
  { name: 'read-queries', title: 'Read throughput', comparison: '≥', target: 10_000, unit: 'queries/s', definition: 'indexed reads on the read-only alias, as many as the replicas answer' },
  { name: 'write-transactions', title: 'Write throughput', comparison: '≥', target: 1000, unit: 'transactions/s', definition: 'bookings with their payment on the primary, as many as it commits' },
  { name: 'reads-and-writes', title: 'Reads and writes together', comparison: '≥', target: 11_000, unit: 'transactions/s', definition: 'reads on the read-only alias and bookings on the primary at the same time, as many as both answer' },
  { name: 'open-transactions', title: 'Transactions open at once', comparison: '≥', target: 20, unit: 'transactions', definition: "transactions that hold a server connection while their application computes, with every task of autoscaling: at the guide's 1,000 writes/s and 20 ms each, 1,000 × 0.02 = 20 are open at once; with fewer, clients wait for the pool" },
  { name: 'connection-reuse', title: 'Connection reuse', comparison: '≥', target: 95, unit: '%', definition: "1 − new server sessions ÷ transactions, over the guide's load test" },
  { name: 'connection-overhead', title: 'Connection overhead', comparison: '<', target: 5, unit: 'ms', definition: 'median of TCP connect, TLS, login and SELECT 1 through the pooler, one client' },
  { name: 'database-cpu', title: 'Database CPU', comparison: '<', target: 70, unit: '%', definition: "CPU time of a transaction × the guide's rate ÷ the vCPUs of the template's class; the busier of primary and replica" },
  { name: 'indexes-valid', title: 'Indexes valid', comparison: '=', target: 0, unit: 'missing', definition: 'indexes of the template that are not VALID, or that the planner does not choose for their query' },
  { name: 'settings', title: 'Settings as in the template', comparison: '=', target: 0, unit: 'different', definition: 'parameters that an instance (pg_settings) or a task of the pooler (SHOW CONFIG) runs with otherwise than the template says' },
  { name: 'collector', title: 'Collector', comparison: '=', target: 0, unit: 'not reached', definition: "instances and tasks of the pooler that the template's own collector could not ask, or of which it wrote no metrics" },
  { name: 'replica-lag', title: 'Replica lag', comparison: '≤', target: 5, unit: 's', definition: 'longest delay of replay on a replica while the primary writes as fast as it can' },
  { name: 'load-test', title: "The guide's load test", comparison: '=', target: 0, unit: 'failed', definition: 'transactions of `pgbench -c 100 -j 10 -t 1000` with the booking script through the pooler that failed' },
  { name: 'smoke-check', title: 'Smoke check', comparison: '=', target: 0, unit: 'failed', definition: "the template's own check at the end of a deploy, once more after the loads: a write and a read through load balancer, pooler and databases" },
  { name: 'diagnosis', title: 'Diagnosis', comparison: '=', target: 0, unit: 'not read', definition: "parts of the tier that the template's own diagnosis function could not read; what it found is printed below" },
] as const satisfies readonly Metric[];

/** The targets, in the order of the report. */
export const metrics: readonly Metric[] = definitions;
export type MetricName = (typeof definitions)[number]['name'];

export function findMetric(name: MetricName): Metric {
  return metrics.find((metric) => metric.name === name)!;
}

/** The target in words, for example `< 50`. */
export function targetText({ comparison, target }: Metric): string {
  return `${comparison} ${target.toLocaleString('en-US')}`;
}

export interface Circumstances {
  /** This machine had nothing left to give, or lacks what the template's has. @default false */
  readonly limited?: boolean;
  /** The figure was computed for the template's hardware. @default false */
  readonly extrapolated?: boolean;
  /** The server's words to a client that it cut off: whatever the figure says, the target is missed. @default - none was */
  readonly aborted?: string;
}

/**
 * A target that was reached is met, or extrapolated if the figure was computed. One that was not is missed, unless the
 * machine was the limit: then a smaller machine was measured, not the tier.
 */
export function judge({ comparison, target }: Metric, measured: number, { limited = false, extrapolated = false, aborted }: Circumstances = {}): Verdict {
  if (aborted !== undefined) return 'missed';
  const reached = { '≥': measured >= target, '<': measured < target, '≤': measured <= target, '=': measured === target }[comparison];
  if (reached) return extrapolated ? 'extrapolated' : 'met';
  return limited ? 'limited by this machine' : 'missed';
}
