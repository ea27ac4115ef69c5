/** Name of the container that runs PgBouncer in a task of the pooler. */
export const poolerContainerName = 'pgbouncer';

/** Files of the image, by their names in its build context: programs, and the authorities of RDS's certificates. */
export const poolerImageFiles = { entrypoint: 'entrypoint.sh', healthCheck: 'health-check.sh', serverTlsCa: 'rds-ca.pem' } as const;

/** Variables of the functions that connect to the pooler, where it shows a certificate of the team's. */
export const poolerVerificationEnvironment = {
  /** Name that the certificate must be for, by whatever address the pooler is reached. */
  hostName: 'POOLER_HOST_NAME',
  /** Path of the authorities that must have signed it, PEM. */
  authorityFile: 'POOLER_AUTHORITY_FILE',
} as const;

/** Beside the function's code: all of its variables together hold 4 KiB, which authorities can exceed. */
export const poolerAuthorityFile = { directory: '/var/task', name: 'pooler-authorities.pem' } as const;

/**
 * Environment variables of the image's entrypoint, shared by the construct, the entrypoint itself and the rehearsal.
 * Every line of the ini is a variable of its own, so that `cdk diff` shows which one changes.
 */
export const poolerEnvironment = {
  /** `PGBOUNCER_SETTING_MAX_CLIENT_CONN=5000` becomes `max_client_conn = 5000`. */
  settingPrefix: 'PGBOUNCER_SETTING_',
  /** `PGBOUNCER_DATABASE_BOOKEDBARBER=host=…` becomes `bookedbarber = host=…`. */
  databasePrefix: 'PGBOUNCER_DATABASE_',
  /** The userlist, verifiers only; from a secret. */
  userlist: 'PGBOUNCER_USERLIST',
  /** Not read. Changes with the userlist, so that tasks which read an older one are replaced. */
  userlistVersion: 'PGBOUNCER_USERLIST_VERSION',
  /** PEM of the certificate shown to clients and of its key, from a secret. @default - made at start, self-signed */
  clientTlsCertificate: 'PGBOUNCER_CLIENT_TLS_CERT',
  clientTlsKey: 'PGBOUNCER_CLIENT_TLS_KEY',
  /** Name that the certificate must be for. @default - it is not looked at */
  clientTlsHost: 'PGBOUNCER_CLIENT_TLS_HOST',
  /** The authorities that must have signed it, PEM. @default - it is not looked at */
  clientTlsAuthorities: 'PGBOUNCER_CLIENT_TLS_AUTHORITIES',
  /** Aliases, separated by spaces, without whose database a task refuses to start. @default - all */
  requiredDatabases: 'PGBOUNCER_REQUIRED_DATABASES',
  /** Seconds that a starting task waits for them: a failover is no reason to end. @default 30 */
  waitSeconds: 'PGBOUNCER_WAIT_SECONDS',
  /** Seconds for which a stopping task goes on letting clients in. @default 45 */
  drainSeconds: 'PGBOUNCER_DRAIN_SECONDS',
  /** Seconds that running transactions then have, before they are cut. @default 70 */
  finishSeconds: 'PGBOUNCER_FINISH_SECONDS',

  // Where things lie: the image has defaults, another machine sets its own.
  /** @default 0.0.0.0 */
  listenAddress: 'PGBOUNCER_LISTEN_ADDRESS',
  /** Holds ini, userlist, key and unix socket; belongs to the user. @default /run/pgbouncer */
  runDirectory: 'PGBOUNCER_RUN_DIRECTORY',
  /** The authorities of the databases' certificates. @default /etc/pgbouncer/rds-ca.pem */
  serverTlsCaFile: 'PGBOUNCER_SERVER_TLS_CA_FILE',
  /** A resolv.conf for PgBouncer alone. @default - the system's */
  resolvConf: 'PGBOUNCER_RESOLV_CONF',
  /** Path of a program that prints the address of the host it is given. @default - the system is asked */
  lookup: 'PGBOUNCER_LOOKUP',
  /** Path of PgBouncer, or of a program that becomes it. @default /usr/sbin/pgbouncer */
  binary: 'PGBOUNCER_BINARY',
  /** Likewise. @default openssl */
  openssl: 'PGBOUNCER_OPENSSL',
} as const;
