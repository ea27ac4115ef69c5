import type { DatabaseConfig, MonitoringConfig, NetworkConfig, PoolerConfig, ReplicaConfig, RolesConfig, TierConfig } from './tier-config';

type Optional<T, K extends keyof T> = Required<Omit<T, K>> & Pick<T, K>;

/** {@link TierConfig} with every default applied. Constructs read this, never the operator's literal. */
export interface ResolvedTierConfig extends Omit<Optional<TierConfig, 'account' | 'region'>, 'network' | 'database' | 'replicas' | 'pooler' | 'roles' | 'monitoring'> {
  readonly environmentName: string;
  readonly network: Required<NetworkConfig>;
  readonly database: Optional<DatabaseConfig, 'instanceIdentifier'>;
  readonly replicas: Readonly<Record<string, Optional<ReplicaConfig, 'instanceIdentifier'>>>;
  readonly pooler: Optional<PoolerConfig, 'certificateSecret'>;
  readonly roles: Required<RolesConfig>;
  readonly monitoring: Required<MonitoringConfig>;
}

/** Applies the defaults that `tier-config.ts` documents. Does not judge: see `validate-config.ts`. */
export function resolveConfig(environmentName: string, config: TierConfig): ResolvedTierConfig {
  const database = {
    databaseName: 'bookedbarber',
    multiAz: true,
    backupRetentionDays: 7,
    backupWindow: '07:00-08:00',
    maintenanceWindow: 'Sun:08:30-Sun:09:30',
    logMinDurationStatementMs: 1000,
    enhancedMonitoringSeconds: 60,
    databaseInsights: 'standard' as const,
    logRetentionDays: 30,
    parameters: {},
    ...config.database,
  };
  const replicaDefaults = {
    instanceClass: database.instanceClass,
    engineVersion: database.engineVersion,
    maxConnections: database.maxConnections,
    retiring: false,
  };
  return {
    retiredIndexes: [],
    indexWait: 'started',
    indexTablesAtOnce: 2,
    tags: {},
    ...config,
    environmentName,
    network: { cidr: '10.20.0.0/16', applications: {}, migrationClients: {}, ...config.network },
    database,
    replicas: Object.fromEntries(
      Object.entries(config.replicas).map(([name, replica]) => [name, { ...replicaDefaults, ...replica }]),
    ),
    pooler: {
      minTasks: 2,
      maxTasks: 4,
      taskCpu: 1024,
      taskMemoryMiB: 2048,
      poolSize: 100,
      readOnlyPoolSize: 100,
      maxClientConnections: 10_000,
      targetCpuPercent: 50,
      sourceIpStickiness: true,
      settings: {},
      ...config.pooler,
    },
    roles: {
      applicationScramIterations: 256,
      applicationStatementTimeoutMs: 30_000,
      applicationTransactionTimeoutMs: 60_000,
      passwordRotation: { everyDays: 30 },
      ...config.roles,
    },
    monitoring: { alarmEmails: [], runbookUrl: 'docs/runbook.md', ...config.monitoring },
  };
}
