/**
 * Environment variables by which a function of the tier is told where its database is. Shared by the constructs,
 * the functions and the rehearsal.
 */
export const databaseEnvironment = {
  host: 'DATABASE_HOST',
  port: 'DATABASE_PORT',
  name: 'DATABASE_NAME',
  /** ARN of the secret, `{ "username": …, "password": … }`, with which the function logs in. */
  secretArn: 'DATABASE_SECRET_ARN',
} as const;
