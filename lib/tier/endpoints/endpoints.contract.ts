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

/**
 * What is published where the pooler shows a certificate that can be verified: the authorities to do it by, and the host
 * that the certificate's name must lead to.
 */
export const verifiedPoolerNames = { authorities: 'POOLER_AUTHORITIES', balancerHost: 'POOLER_BALANCER_HOST' } as const;

export type EndpointName = (typeof endpointNames)[number];
