import type { ResolvedTierConfig } from '../../config/resolve-config';

/** A parameter of a parameter group, in PostgreSQL's base unit, and the reason for its value. */
export interface PostgresParameter {
  readonly name: string;
  /** As RDS takes it: numbers in the parameter's own unit, booleans as `0` and `1`. */
  readonly value: string;
  readonly why: string;
}

/** Which instance a parameter group is for. */
export type InstanceRole = { readonly role: 'primary' } | { readonly role: 'replica'; readonly maxConnections: number };

/**
 * The parameters of the primary's or a replica's group: the tier's own, then the operator's over them.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.PostgreSQL.CommonDBATasks.Parameters.html
 */
export function postgresParameters(config: ResolvedTierConfig['database'], instance: InstanceRole): readonly PostgresParameter[] {
  const own = [
    ...connectionParameters(instance.role === 'primary' ? config.maxConnections : instance.maxConnections),
    ...observationParameters(config),
    ...timeoutParameters,
    ...plannerAndVacuumParameters,
    ...writeParameters(config),
    ...(instance.role === 'replica' ? replicaParameters : []),
  ];
  const merged = new Map(own.map((parameter) => [parameter.name, parameter]));
  for (const [name, value] of Object.entries(config.parameters)) {
    merged.set(name, { name, value, why: 'set in environments.ts' });
  }
  return [...merged.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Parameters that the configuration has a field for, or that the tier depends on: `parameters` may not set them. */
export const ownedParameters: readonly string[] = [
  'max_connections',
  'log_min_duration_statement',
  'log_parameter_max_length',
  'shared_preload_libraries',
  'rds.force_ssl',
  'password_encryption',
  'pg_stat_statements.track_utility',
];

function connectionParameters(maxConnections: number): PostgresParameter[] {
  return [
    { name: 'max_connections', value: `${maxConnections}`, why: 'a literal: readable in a diff, equal on both sides of a failover' },
    { name: 'rds.force_ssl', value: '1', why: 'refuses plain connections' },
    { name: 'password_encryption', value: 'scram-sha-256', why: 'no password is ever stored as md5' },
    { name: 'tcp_keepalives_idle', value: '60', why: 'seconds until a vanished client is looked for; the system default is two hours' },
    { name: 'tcp_keepalives_interval', value: '10', why: 'seconds between probes' },
    { name: 'tcp_keepalives_count', value: '5', why: 'probes until the session is ended and its locks are free' },
  ];
}

function observationParameters(config: ResolvedTierConfig['database']): PostgresParameter[] {
  return [
    { name: 'shared_preload_libraries', value: 'pg_stat_statements', why: 'which statements cost the time; takes a restart' },
    { name: 'pg_stat_statements.max', value: '10000', why: 'an ORM makes many shapes; evicted ones lose their history' },
    { name: 'pg_stat_statements.track', value: 'top', why: 'what the application sent, not what functions ran within' },
    { name: 'pg_stat_statements.track_utility', value: '0', why: 'keeps ALTER ROLE and its verifiers out of the view' },
    { name: 'track_io_timing', value: '1', why: 'tells waiting for storage from computing' },
    { name: 'track_activity_query_size', value: '4096', why: 'bytes; an ORM statement is cut at 1024; takes a restart' },
    { name: 'log_min_duration_statement', value: `${config.logMinDurationStatementMs}`, why: 'milliseconds; the slow query log' },
    { name: 'log_parameter_max_length', value: '0', why: 'no values of customers in the slow query log' },
    { name: 'log_lock_waits', value: '1', why: 'who waited longer than deadlock_timeout, and for whom' },
    { name: 'log_temp_files', value: '10240', why: 'kB; sorts that spilled more than 10 MB' },
    { name: 'log_autovacuum_min_duration', value: '10000', why: 'milliseconds; vacuums that took over 10 s' },
    { name: 'log_checkpoints', value: '1', why: 'checkpoints forced by WAL show that max_wal_size is too small' },
    { name: 'log_statement', value: 'none', why: 'the slow query log is enough; all statements can fill the storage' },
  ];
}

const timeoutParameters: readonly PostgresParameter[] = [
  { name: 'idle_in_transaction_session_timeout', value: '60000', why: 'milliseconds; an abandoned transaction holds locks and vacuum back' },
  { name: 'deadlock_timeout', value: '1000', why: 'milliseconds; also the wait after which log_lock_waits speaks' },
];

const plannerAndVacuumParameters: readonly PostgresParameter[] = [
  { name: 'random_page_cost', value: '1.1', why: 'gp3 reads a random page as fast as the next one: the planner may use indexes' },
  { name: 'effective_io_concurrency', value: '200', why: 'gp3 serves many reads at once' },
  { name: 'autovacuum_vacuum_scale_factor', value: '0.05', why: 'vacuums a table of millions after 5 % changed, not after 20 %' },
  { name: 'autovacuum_analyze_scale_factor', value: '0.02', why: 'keeps the statistics of skewed columns fresh' },
];

/** Behind 1,000 write transactions a second: fewer checkpoints, less WAL, nothing acknowledged that could be lost. */
function writeParameters(config: ResolvedTierConfig['database']): PostgresParameter[] {
  const maxWalSizeMiB = Math.min(8192, Math.floor((config.storage.sizeGiB * 1024) / 20));
  return [
    { name: 'synchronous_commit', value: 'on', why: 'an acknowledged booking survives a crash' },
    { name: 'max_wal_size', value: `${maxWalSizeMiB}`, why: 'MB; checkpoints by time, not by volume; at most 5 % of the storage' },
    { name: 'min_wal_size', value: `${Math.floor(maxWalSizeMiB / 4)}`, why: 'MB; recycles segments instead of making new ones' },
    { name: 'checkpoint_timeout', value: '900', why: 'seconds; a page is written whole to the WAL once after each checkpoint' },
    { name: 'checkpoint_completion_target', value: '0.9', why: 'spreads the writes of a checkpoint' },
    { name: 'wal_compression', value: 'off', why: "PostgreSQL's own compression takes two fifths of the CPU of an index build, and the storage has throughput to spare" },
    { name: 'wal_buffers', value: '8192', why: '8 kB pages (64 MB); a burst of writes does not wait for the WAL writer; takes a restart' },
  ];
}

const replicaParameters: readonly PostgresParameter[] = [
  { name: 'hot_standby_feedback', value: '1', why: 'the primary keeps the rows that long reads here still need' },
  { name: 'max_standby_streaming_delay', value: '30000', why: 'milliseconds that replay waits for a conflicting read' },
];
