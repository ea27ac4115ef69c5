/**
 * Names under which the tier tells applications how to reach it: the last part of an SSM parameter's name, and the
 * variable that an application sets from it.
 */
export const endpointNames = [
  'DATABASE_URL',
  'READ_REPLICA_URL',
  'MIGRATIONS_DATABASE_URL',
  'APPLICATION_SECRET_ARN',
  'READ_ONLY_SECRET_ARN',
  'MIGRATIONS_SECRET_ARN',
  'POOLER_ADMIN_SECRET_ARN',
  'DIAGNOSIS_FUNCTION_NAME',
] as const;

export type EndpointName = (typeof endpointNames)[number];
