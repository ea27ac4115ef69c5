/** Latencies of one load, so that they can be drawn: how many percent of the transactions took no longer. */
export interface LatencyCurve {
  /** `through the pooler`, `directly at the primary` */
  readonly name: string;
  readonly points: readonly { readonly percent: number; readonly ms: number }[];
}

/** The same load on different ways. */
export interface LatencyComparison {
  /** Stable key, for example `indexed-query`. */
  readonly name: string;
  readonly title: string;
  /** A line across the plot. @default - none */
  readonly targetMs?: number;
  readonly curves: readonly LatencyCurve[];
}

/** A query for which the guide has an index. */
export interface IndexedQueryResult {
  readonly index: string;
  readonly sql: string;
  /** Whether the plan on the primary names the index. */
  readonly used: boolean;
  /** The node of the plan that reads the index, or the whole plan if none does. */
  readonly plan: string;
  readonly pooled: LatencySummary;
  readonly direct: LatencySummary;
}

export interface LatencySummary {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

/** What the pooler's tasks did together in about one second. */
export interface PoolSample {
  /** Since the measurements began. */
  readonly atSeconds: number;
  readonly transactionsPerSecond: number;
  readonly clients: number;
  readonly clientsWaiting: number;
  readonly serversBusy: number;
  readonly serversIdle: number;
}

/** A part of the measurements. */
export interface Phase {
  readonly title: string;
  readonly fromSeconds: number;
  readonly toSeconds: number;
}

/** What stands where, and who talks to whom. */
export interface Topology {
  readonly nodes: readonly TopologyNode[];
  readonly links: readonly { readonly from: string; readonly to: string }[];
}

export interface TopologyNode {
  readonly id: string;
  /** From left to right: clients, the balancer, the pooler's tasks, the databases. */
  readonly column: number;
  readonly title: string;
  /** Lines below the title. */
  readonly details: readonly string[];
}
