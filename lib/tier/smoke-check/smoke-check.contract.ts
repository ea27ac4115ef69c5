/** Type of the custom resource that proves a deploy. */
export const smokeCheckResourceType = 'Custom::SmokeCheck';

/** Its properties: a change of any makes the check run. */
export const smokeCheckProperties = {
  /** ARN of the task definition that the service runs. */
  taskDefinition: 'TaskDefinition',
  /** Hash of the environment's configuration. */
  configuration: 'Configuration',
  /** Host names of the instances, by commas: a replacement changes them without the configuration. */
  instances: 'Instances',
} as const;

/** Environment variables of its function. */
export const smokeCheckEnvironment = {
  poolerHost: 'POOLER_HOST',
  poolerPort: 'POOLER_PORT',
  /** Alias that takes writes, and the one that must not. */
  database: 'DATABASE',
  readOnlyDatabase: 'READ_ONLY_DATABASE',
  secretArn: 'SECRET_ARN',
  /** RDS identifiers, by commas. */
  instanceIdentifiers: 'INSTANCE_IDENTIFIERS',
} as const;
