/** CloudWatch namespace of every metric that the tier's own functions write. */
export const metricsNamespace = 'BookedBarber/Database';

/** Namespace of what is counted in logs: a filter on plain text cannot give its metric a dimension. */
export function logMetricsNamespace(environmentName: string): string {
  return `${metricsNamespace}/${environmentName}`;
}

/** Environment variables of whoever observes the tier, besides those of `database.contract.ts`. */
export const observerEnvironment = {
  /** Name of the environment, a dimension of every metric. */
  environmentName: 'ENVIRONMENT_NAME',
  /** `name=host`, by commas: the primary first, then the replicas. */
  instances: 'INSTANCES',
  /** `name=identifier` of RDS, by commas. */
  instanceIdentifiers: 'INSTANCE_IDENTIFIERS',
  /** `name=connections` that the budget foresees, by commas. */
  budgetedConnections: 'BUDGETED_CONNECTIONS',
  /** ARN or name of the ECS cluster, and of the service in it. */
  cluster: 'POOLER_CLUSTER',
  service: 'POOLER_SERVICE',
  poolerPort: 'POOLER_PORT',
} as const;

/** Payload of the diagnosis function. */
export interface DiagnosisRequest {
  /** Names of sections. @default - all */
  readonly only?: readonly string[];
}
