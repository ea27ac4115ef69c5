/** Type of the custom resource whose properties are the index catalogue. */
export const indexesResourceType = 'Custom::PostgresIndexes';

/** Properties of the custom resource that are no index; every other one is an index's SQL. */
export const indexesProperties = {
  /** `started` or `valid`. */
  wait: 'Wait',
  /** Tables that are built on at the same time. */
  tablesAtOnce: 'TablesAtOnce',
  /** `host:port/name`. Not read: another database is another value, and so gets its indexes. */
  database: 'Database',
} as const;

/** Environment variables of its functions besides those of `database.contract.ts`. */
export const indexesEnvironment = {
  /** RDS identifiers of the primary and its replicas, by commas: asked whether they are available. */
  instanceIdentifiers: 'INSTANCE_IDENTIFIERS',
  /** Cores of the instance that builds may keep busy together. */
  coresForBuilds: 'CORES_FOR_BUILDS',
  /** Name of the environment, a dimension of the metrics. */
  environmentName: 'ENVIRONMENT_NAME',
} as const;

/** What the scheduled function answers, and what stands in its log; lines read `index: what`. An index outside the schema `public` is named with its schema. */
export interface IndexSummary {
  readonly valid: readonly string[];
  /** Exist under another name. */
  readonly adopted: readonly string[];
  readonly building: readonly string[];
  /** How far they are. */
  readonly progress: readonly string[];
  /** Who keeps them waiting, and whom they keep waiting. */
  readonly waits: readonly string[];
  /** Their turn comes when the builds before them are done. */
  readonly waiting: readonly string[];
  /** Retired, and still there. */
  readonly dropping: readonly string[];
  /** The application's migration has not made their table yet. */
  readonly deferred: readonly string[];
  /** What is wrong and what to do. */
  readonly failed: readonly string[];
  /** Dropped, changed or made INVALID by somebody since they were built. */
  readonly drifted: readonly string[];
  /** INVALID remains of somebody else's work. */
  readonly leftovers: readonly string[];
  /** Every INVALID index of the catalogue's tables that nobody builds: it costs writes and answers no query. */
  readonly invalid: readonly string[];
  /** Another catalogue has been accepted meanwhile: nothing was done for this one. */
  readonly superseded: boolean;
}
