/**
 * What an operator may wish for: the one interface that is edited, in `environments.ts`.
 *
 * Every field states its unit, its default and what changes for the reader. Defaults are applied in one
 * place, `resolveConfig` in `resolve-config.ts`; contradictions are found by `validate-config.ts` before
 * the first construct is made.
 */
export interface TierConfig {
  /** AWS account to deploy to, 12 digits. @default - the account of the credentials that deploy */
  readonly account?: string;

  /** AWS region to deploy to. @default - the region of the credentials that deploy */
  readonly region?: string;

  /** Where the tier lives and who may reach it. */
  readonly network: NetworkConfig;

  /** The primary: what is lost if it is lost. */
  readonly database: DatabaseConfig;

  /** One or more read replicas, by name. The names become construct ids: renaming one replaces it. */
  readonly replicas: Readonly<Record<string, ReplicaConfig>>;

  /** PgBouncer, through which every application connection goes. */
  readonly pooler: PoolerConfig;

  /** Limits of the roles that the bootstrap creates. @default - see {@link RolesConfig} */
  readonly roles?: RolesConfig;

  /** The indexes that should exist. Order does not matter; a table that does not exist yet is deferred. */
  readonly indexes: readonly IndexDefinition[];

  /**
   * Indexes to drop, by name, without keeping anybody waiting. Only what was built here is dropped, and nothing that a
   * constraint stands on. An index that is in neither list stays. @default - none
   */
  readonly retiredIndexes?: readonly RetiredIndex[];

  /** How long a deploy waits for indexes. @default 'started' */
  readonly indexWait?: IndexWait;

  /**
   * Tables on which indexes are built at the same time, 1 to 8; each takes one index at a time. Every build takes a core
   * and `maintenance_work_mem`: on an instance of two cores, 1 leaves one to the application. @default 2
   */
  readonly indexTablesAtOnce?: number;

  /** Who is told when something is wrong. @default - see {@link MonitoringConfig} */
  readonly monitoring?: MonitoringConfig;

  /** Tags for every resource of the environment. @default - none */
  readonly tags?: Readonly<Record<string, string>>;
}

export interface MonitoringConfig {
  /** Addresses that get every alarm; each must confirm once. @default - nobody: subscribe to the topic yourself */
  readonly alarmEmails?: readonly string[];

  /** Where people read the runbook; alarms link to its sections. @default 'docs/runbook.md' */
  readonly runbookUrl?: string;
}

export interface NetworkConfig {
  /** IPv4 range of the VPC, /16 to /23: six subnets of /26 must fit. @default '10.20.0.0/16' */
  readonly cidr?: string;

  /**
   * How tasks and functions reach AWS: through NAT gateways, or through interface endpoints with no way to the
   * internet at all.
   */
  readonly egress: { readonly natGateways: 1 | 2 } | 'interface-endpoints';

  /**
   * IPv4 ranges from which applications may reach the pooler on 6432, as CIDR blocks, each with the name of who
   * it is. @default - nobody
   */
  readonly applications?: Readonly<Record<string, string>>;

  /**
   * IPv4 ranges from which schema migrations may reach the primary directly, as CIDR blocks, each with the name of
   * who it is. Migrations need what transaction pooling forbids. @default - nobody
   */
  readonly migrationClients?: Readonly<Record<string, string>>;
}

export interface DatabaseConfig {
  /** Minor version of PostgreSQL 17 for the primary, for example '17.6'. */
  readonly engineVersion: string;

  /** RDS instance class without the `db.` prefix, for example 'r7g.large'. */
  readonly instanceClass: string;

  /** Physical name of the instance, for example 'bookedbarber-prod'. @default - named by CloudFormation */
  readonly instanceIdentifier?: string;

  /** Database that the instance creates at its birth. Changing it replaces the instance. @default 'bookedbarber' */
  readonly databaseName?: string;

  /** A synchronous standby in the second zone. @default true */
  readonly multiAz?: boolean;

  /** gp3 storage of the primary and of each replica. */
  readonly storage: StorageConfig;

  /** Days of point-in-time recovery, 1 to 35; replicas need at least 1. @default 7 */
  readonly backupRetentionDays?: number;

  /** Daily backup window, UTC, `hh24:mi-hh24:mi`, 30 minutes or more. @default '07:00-08:00' */
  readonly backupWindow?: string;

  /** Weekly maintenance window, UTC, `ddd:hh24:mi-ddd:hh24:mi`, 30 minutes or more, at no time of the backup. @default 'Sun:08:30-Sun:09:30' */
  readonly maintenanceWindow?: string;

  /** What a `cdk destroy` or a removed resource does to data. */
  readonly protection: Protection;

  /** `max_connections` of the primary, a literal so that it can be read in a diff. */
  readonly maxConnections: number;

  /** Statements that take longer are logged, milliseconds (-1 logs none, 0 all). @default 1000 */
  readonly logMinDurationStatementMs?: number;

  /** Seconds between operating system metrics: 0 (off), 1, 5, 10, 15, 30 or 60. @default 60 */
  readonly enhancedMonitoringSeconds?: number;

  /** Database Insights: 'standard' keeps 7 days, 'advanced' 15 months at a price per vCPU. @default 'standard' */
  readonly databaseInsights?: 'standard' | 'advanced';

  /** Days that exported PostgreSQL logs are kept; one of CloudWatch's steps. @default 30 */
  readonly logRetentionDays?: number;

  /** Further parameters of primary and replicas, over the tier's own. @default - none */
  readonly parameters?: Readonly<Record<string, string>>;
}

export interface StorageConfig {
  /** Size, GiB (20 to 65536). */
  readonly sizeGiB: number;

  /** Storage autoscaling stops here, GiB; at least 10 % over the size. @default - no autoscaling */
  readonly maxSizeGiB?: number;

  /** Provisioned IOPS; only from 400 GiB, and then at least 12000. @default - gp3's own baseline */
  readonly iops?: number;

  /** Provisioned throughput, MiB/s; only from 400 GiB, and then at least 500. @default - gp3's own baseline */
  readonly throughputMiBps?: number;
}

/**
 * `'retain'`: deletion protection on, the instance, its key and its master secret outlive the stack.
 * `{ disposable }`: `cdk destroy` leaves nothing, and the reason says why that is fine.
 */
export type Protection = 'retain' | { readonly disposable: string };

export interface ReplicaConfig {
  /** RDS instance class without the `db.` prefix. @default - the primary's */
  readonly instanceClass?: string;

  /** Minor version; never below the primary's, and raised before it. @default - the primary's */
  readonly engineVersion?: string;

  /** Physical name of the instance, for example 'bookedbarber-read-replica'. @default - named by CloudFormation */
  readonly instanceIdentifier?: string;

  /** `max_connections` of the replica; never below the primary's. @default - the primary's */
  readonly maxConnections?: number;

  /**
   * First of the two steps of removal: the replica runs on, but the pooler no longer sends anybody to it.
   * @default false
   */
  readonly retiring?: boolean;
}

export interface PoolerConfig {
  /** Fewest tasks, spread over the zones. @default 2 */
  readonly minTasks?: number;

  /** Most tasks that autoscaling may start. @default 4 */
  readonly maxTasks?: number;

  /** CPU of a task, 1024 is one vCPU. PgBouncer uses one thread: more than 1024 is idle. @default 1024 */
  readonly taskCpu?: 256 | 512 | 1024;

  /** Memory of a task, MiB. @default 2048 */
  readonly taskMemoryMiB?: number;

  /**
   * Server connections to the primary over the whole service at `maxTasks`; each task gets its whole share as
   * `max_db_connections`. @default 100
   */
  readonly poolSize?: number;

  /** The same for `_ro`, over all replicas in use. @default 100 */
  readonly readOnlyPoolSize?: number;

  /** Client connections over the whole service that must find room at `minTasks`. @default 10000 */
  readonly maxClientConnections?: number;

  /** Target of autoscaling: average CPU of the tasks, percent. @default 50 */
  readonly targetCpuPercent?: number;

  /** All connections of one client address go to one task, so that its cancel requests meet the query. @default true */
  readonly sourceIpStickiness?: boolean;

  /** Further PgBouncer settings, `name: value`; a setting that the tier must own is refused. @default - none */
  readonly settings?: Readonly<Record<string, string>>;

  /**
   * The certificate that the pooler shows its clients, so that they can verify it: their URLs then say `verify-full`.
   * @default - each task makes one at its start, which nobody can verify: the URLs say `require`
   */
  readonly certificateSecret?: CertificateSecretConfig;
}

/** A secret of your own with a certificate and its key. The tier reads it and never changes it. */
export interface CertificateSecretConfig {
  /** Name or complete ARN of the secret in Secrets Manager: JSON with two fields in PEM. */
  readonly secret: string;

  /** Name under which clients reach the load balancer, and which the certificate must be for: a DNS record of yours. */
  readonly hostName: string;

  /**
   * The authorities by which clients verify the certificate, PEM; published, and in the application kit. A task does not
   * start with a certificate that does not lead to one of them.
   */
  readonly authorities: string;

  /** Field with the certificate, followed by those between it and its authority. @default 'certificate' */
  readonly certificateField?: string;

  /** Field with its unencrypted private key. @default 'privateKey' */
  readonly privateKeyField?: string;

  /** ARN of the key that encrypts the secret. @default - AWS's own key for secrets, `aws/secretsmanager` */
  readonly encryptionKeyArn?: string;
}

export interface RolesConfig {
  /**
   * SCRAM iterations of the application's roles (their passwords are 256 random bits, which iterations do not make
   * stronger). pgjdbc refuses fewer than 4096. @default 256
   */
  readonly applicationScramIterations?: number;

  /** `statement_timeout` of the application's roles, milliseconds. @default 30000 */
  readonly applicationStatementTimeoutMs?: number;

  /** `transaction_timeout` of the application's roles, milliseconds; must stay below the pooler's drain. @default 60000 */
  readonly applicationTransactionTimeoutMs?: number;

  /**
   * How often every password is changed: 1 to 1000 days, between 0 and 4 o'clock UTC. Clients notice nothing as long as
   * they read their secret when they connect. Not the master's, which nobody uses. @default { everyDays: 30 }
   */
  readonly passwordRotation?: PasswordRotation;
}

/** `{ off }`: passwords stay as they are until somebody changes them, and the reason says why that is fine. */
export type PasswordRotation = { readonly everyDays: number } | { readonly off: string };

/** An index that should exist: what PostgreSQL's own `CREATE INDEX` says after the table name. */
export interface IndexDefinition {
  /** Name of the index, at most 63 bytes; unique over the list. */
  readonly name: string;

  /** Schema of the table. @default 'public' */
  readonly schema?: string;

  /** Table, as stored in the catalog: no quotes, case as it is. */
  readonly table: string;

  /** Refuse duplicates. @default false */
  readonly unique?: boolean;

  /**
   * PostgreSQL's text after the table name, for example `(barber_id, appointment_date)` or
   * `USING brin (created_at) WITH (pages_per_range = 64)`.
   * @see https://www.postgresql.org/docs/17/sql-createindex.html
   */
  readonly definition: string;
}

/** An index that should be gone. */
export interface RetiredIndex {
  /** Name of the index. */
  readonly name: string;

  /** Schema of its table. @default 'public' */
  readonly schema?: string;
}

/**
 * `'started'`: the deploy is green once every build has been started or deferred; an alarm watches the rest.
 * `'valid'`: the deploy waits, up to about 50 minutes, until every index of an existing table is valid.
 */
export type IndexWait = 'started' | 'valid';
