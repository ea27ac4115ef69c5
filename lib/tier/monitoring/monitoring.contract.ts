/** CloudWatch namespace of every metric that the tier's own functions write. */
export const metricsNamespace = 'BookedBarber/Database';

/** Namespace of what is counted in logs: a filter on plain text cannot give its metric a dimension. */
export function logMetricsNamespace(environmentName: string): string {
  return `${metricsNamespace}/${environmentName}`;
}

/** Environment variables of the collector besides those of `database.contract.ts`. */
export const collectorEnvironment = {
  /** Name of the environment, a dimension of every metric. */
  environmentName: 'ENVIRONMENT_NAME',
  /** `name=host`, by commas: the primary first, then the replicas. */
  instances: 'INSTANCES',
  /** ARN or name of the ECS cluster, and of the service in it. */
  cluster: 'POOLER_CLUSTER',
  service: 'POOLER_SERVICE',
  poolerPort: 'POOLER_PORT',
} as const;
