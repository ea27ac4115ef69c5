import type { ServerParameter } from './parameter-catalogue';

/**
 * Parameters that only RDS has, or that belong to extensions which the local server lacks.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.PostgreSQL.CommonDBATasks.Parameters.html
 */
export const rdsOnlyParameters: readonly ServerParameter[] = [
  { name: 'rds.accepted_password_auth_method', type: 'enum', context: 'sighup', values: ['md5+scram', 'scram'] },
  { name: 'rds.adaptive_autovacuum', type: 'bool', context: 'sighup' },
  { name: 'rds.allowed_extensions', type: 'string', context: 'sighup' },
  { name: 'rds.custom_dns_resolution', type: 'bool', context: 'postmaster' },
  { name: 'rds.force_admin_logging_level', type: 'enum', context: 'sighup', values: ['disabled', 'debug5', 'debug4', 'debug3', 'debug2', 'debug1', 'info', 'notice', 'warning', 'error', 'log', 'fatal', 'panic'] },
  { name: 'rds.force_autovacuum_logging_level', type: 'enum', context: 'sighup', values: ['disabled', 'debug5', 'debug4', 'debug3', 'debug2', 'debug1', 'info', 'notice', 'warning', 'error', 'log', 'fatal', 'panic'] },
  { name: 'rds.force_ssl', type: 'bool', context: 'sighup' },
  { name: 'rds.log_retention_period', type: 'integer', context: 'sighup', unit: 'min', min: '1440', max: '10080' },
  { name: 'rds.logical_replication', type: 'bool', context: 'postmaster' },
  { name: 'rds.pg_stat_ramdisk_size', type: 'integer', context: 'postmaster', unit: 'MB', min: '0', max: '1024' },
  { name: 'rds.rds_superuser_reserved_connections', type: 'integer', context: 'postmaster', min: '0', max: '8388607' },
  { name: 'rds.restrict_password_commands', type: 'bool', context: 'postmaster' },
  // The local server is built without these compressions.
  { name: 'default_toast_compression', type: 'enum', context: 'user', values: ['pglz', 'lz4'] },
  { name: 'wal_compression', type: 'enum', context: 'superuser', values: ['pglz', 'lz4', 'zstd', 'on', 'off'] },
  // https://github.com/pgaudit/pgaudit#settings
  { name: 'pgaudit.log', type: 'string', context: 'superuser' },
  { name: 'pgaudit.log_catalog', type: 'bool', context: 'superuser' },
  { name: 'pgaudit.log_level', type: 'enum', context: 'superuser', values: ['debug5', 'debug4', 'debug3', 'debug2', 'debug1', 'info', 'notice', 'warning', 'log'] },
  { name: 'pgaudit.log_parameter', type: 'bool', context: 'superuser' },
  { name: 'pgaudit.log_relation', type: 'bool', context: 'superuser' },
  { name: 'pgaudit.log_rows', type: 'bool', context: 'superuser' },
  { name: 'pgaudit.log_statement_once', type: 'bool', context: 'superuser' },
  { name: 'pgaudit.role', type: 'string', context: 'superuser' },
  // https://github.com/citusdata/pg_cron#extension-settings
  { name: 'cron.database_name', type: 'string', context: 'postmaster' },
  { name: 'cron.log_run', type: 'bool', context: 'postmaster' },
  { name: 'cron.log_statement', type: 'bool', context: 'postmaster' },
  { name: 'cron.max_running_jobs', type: 'integer', context: 'postmaster', min: '0', max: '8388607' },
];

/** Parameters of the server that RDS sets itself: a parameter group that names one is refused. */
export const rdsManaged: ReadonlySet<string> = new Set([
  'archive_cleanup_command', 'archive_command', 'archive_library', 'archive_mode', 'config_file', 'data_directory', 'data_sync_retry', 'dynamic_library_path', 'event_source', 'external_pid_file',
  'fsync', 'full_page_writes', 'hba_file', 'hot_standby', 'ident_file', 'krb_server_keyfile', 'listen_addresses', 'local_preload_libraries', 'log_directory', 'log_file_mode',
  'logging_collector', 'port', 'primary_conninfo', 'primary_slot_name', 'promote_trigger_file', 'recovery_end_command', 'restore_command', 'ssl', 'ssl_ca_file', 'ssl_cert_file', 'ssl_crl_dir',
  'ssl_crl_file', 'ssl_key_file', 'stats_temp_directory', 'summarize_wal', 'unix_socket_directories', 'unix_socket_group', 'unix_socket_permissions', 'wal_level',
]); // prettier-ignore
