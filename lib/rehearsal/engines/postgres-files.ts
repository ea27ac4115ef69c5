/** An RDS instance's master and first database. */
export interface RdsIdentity {
  readonly masterUsername: string;
  readonly masterPassword: string;
  readonly databaseName: string;
}

/** The local superuser: RDS has one of that name, which nobody else may use. */
export const superuserName = 'rdsadmin';

/** Lines of a postgresql.conf, quoted as PostgreSQL reads them. `rds.*` names exist on RDS only and are left out. */
export function renderPostgresqlConf(parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters)
    .filter(([name]) => !name.startsWith('rds.'))
    .map(([name, value]) => `${name} = '${value.replace(/\\/g, '\\\\').replace(/'/g, "''")}'\n`)
    .join('');
}

/**
 * Who may log in how. As RDS: everybody by password over TLS, none without. The superuser, whom RDS keeps to itself,
 * may come without TLS to start standbys.
 */
export function renderPgHba(identity: RdsIdentity | undefined): string {
  const everybody = identity ? 'hostssl all all all md5' : 'host all all all scram-sha-256';
  return [`local all ${superuserName} trust`, `host all ${superuserName} 127.0.0.0/8 scram-sha-256`, `host replication ${superuserName} 127.0.0.0/8 scram-sha-256`, everybody, ''].join('\n');
}

/**
 * What RDS gives its master: much, but neither superuser rights nor a look at password hashes.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.PostgreSQL.CommonDBATasks.Roles.html
 */
export function rdsRolesSql({ masterUsername, masterPassword, databaseName }: RdsIdentity): readonly string[] {
  const master = quoteIdentifier(masterUsername);
  const granted = ['pg_monitor', 'pg_signal_backend', 'pg_checkpoint', 'pg_use_reserved_connections', 'pg_create_subscription'];
  return [
    'CREATE ROLE rds_superuser NOLOGIN',
    'CREATE ROLE rds_replication NOLOGIN',
    'CREATE ROLE rds_password NOLOGIN',
    `GRANT ${granted.join(', ')}, rds_replication, rds_password TO rds_superuser WITH ADMIN OPTION`,
    `CREATE ROLE ${master} LOGIN CREATEDB CREATEROLE PASSWORD '${masterPassword.replace(/'/g, "''")}' IN ROLE rds_superuser`,
    `CREATE DATABASE ${quoteIdentifier(databaseName)} OWNER ${master}`,
  ];
}

function quoteIdentifier(name: string): string {
  return `"${name.replace(/"/g, '""')}"`;
}
