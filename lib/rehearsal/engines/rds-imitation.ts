/** An RDS instance's master and first database. */
export interface RdsIdentity {
  readonly masterUsername: string;
  readonly masterPassword: string;
  readonly databaseName: string;
}

/** The superuser, whom RDS keeps to itself under the same name. */
export const superuserName = 'rdsadmin';

/** `rds.*` exists on RDS only: a plain PostgreSQL would take it for an extension's. */
export function isRdsOnly(parameter: string): boolean {
  return parameter.startsWith('rds.');
}

/**
 * Who may log in how. As RDS: everybody by password, and over TLS only unless `rds.force_ssl` is off. The superuser may
 * come without TLS, to start standbys.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL.Concepts.General.SSL.html
 */
export function renderPgHba(rds: RdsIdentity | undefined, parameters: Readonly<Record<string, string>>): string {
  const everybody = !rds
    ? 'host all all all scram-sha-256'
    : forcesTls(parameters)
      ? 'hostssl all all all md5'
      : 'host all all all md5';
  return [
    `host all ${superuserName} 127.0.0.0/8 scram-sha-256`,
    `host replication ${superuserName} 127.0.0.0/8 scram-sha-256`,
    everybody,
    '',
  ].join('\n');
}

/** On by default since PostgreSQL 15. */
export function forcesTls(parameters: Readonly<Record<string, string>>): boolean {
  return parameters['rds.force_ssl'] !== '0';
}

/**
 * What RDS gives its master: much, but neither superuser rights nor a look at password hashes. Statements of one
 * session.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.PostgreSQL.CommonDBATasks.Roles.rds_superuser.html
 */
export function rdsRolesSql({ masterUsername, masterPassword, databaseName }: RdsIdentity): readonly string[] {
  const master = quoteIdentifier(masterUsername);
  const granted = [
    'pg_monitor',
    'pg_signal_backend',
    'pg_checkpoint',
    'pg_use_reserved_connections',
    'pg_create_subscription',
  ];
  return [
    ...keepTextSecret,
    'CREATE ROLE rds_superuser NOLOGIN',
    'CREATE ROLE rds_replication NOLOGIN',
    'CREATE ROLE rds_password NOLOGIN',
    `GRANT ${granted.join(', ')}, rds_replication, rds_password TO rds_superuser WITH ADMIN OPTION`,
    `CREATE ROLE ${master} LOGIN CREATEDB CREATEROLE PASSWORD '${masterPassword.replace(/'/g, "''")}'`,
    `GRANT rds_superuser TO ${master} WITH ADMIN OPTION`,
    `CREATE DATABASE ${quoteIdentifier(databaseName)} OWNER ${master}`,
  ];
}

/** New passwords for the superuser and the master, a line each. */
export function passwordsSql(superuserPassword: string, rds: RdsIdentity | undefined): readonly string[] {
  const password = (role: string, text: string): string => `ALTER ROLE ${quoteIdentifier(role)} PASSWORD '${text.replace(/'/g, "''")}'`;
  return [password(superuserName, superuserPassword), ...(rds ? [password(rds.masterUsername, rds.masterPassword)] : [])];
}

/** The master's password stands in a statement: whatever the parameters ask for, neither the log nor a view shows it. */
const keepTextSecret = [
  "SET log_statement = 'none'",
  'SET log_min_duration_statement = -1',
  'SET log_min_duration_sample = -1',
  'SET log_transaction_sample_rate = 0',
  "SET log_min_error_statement = 'panic'",
  "SET pg_stat_statements.track = 'none'",
];

function quoteIdentifier(name: string): string {
  return `"${name.replace(/"/g, '""')}"`;
}
