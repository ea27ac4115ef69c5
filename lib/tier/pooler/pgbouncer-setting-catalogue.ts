/** The values that PgBouncer takes for a setting, and that make sense. */
export type SettingType =
  | { readonly kind: 'integer'; readonly least: number; readonly most: number }
  | { readonly kind: 'seconds'; readonly least: number; readonly most: number }
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  | { readonly kind: 'text' };

const integer = (least: number, most: number): SettingType => ({ kind: 'integer', least, most });
const choice = (...choices: readonly string[]): SettingType => ({ kind: 'choice', choices });
const text: SettingType = { kind: 'text' };
/** PgBouncer reads its switches as numbers and refuses words. */
const onOff = choice('0', '1');
/** 0 switches a timeout off. */
const timeout: SettingType = { kind: 'seconds', least: 0, most: 86_400 };
const connections = integer(0, 100_000);
const sslmode = choice('disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full');

/**
 * Every setting of PgBouncer 1.24's [pgbouncer] section.
 *
 * @see https://www.pgbouncer.org/config.html
 */
export const pgbouncerSettingTypes: Readonly<Record<string, SettingType>> = {
  admin_users: text,
  application_name_add_host: onOff,
  auth_dbname: text,
  auth_file: text,
  auth_hba_file: text,
  auth_ident_file: text,
  auth_query: text,
  auth_type: choice('any', 'trust', 'plain', 'md5', 'cert', 'hba', 'pam', 'scram-sha-256'),
  auth_user: text,
  autodb_idle_timeout: timeout,
  cancel_wait_timeout: timeout,
  client_idle_timeout: timeout,
  client_login_timeout: timeout,
  client_tls_ca_file: text,
  client_tls_cert_file: text,
  client_tls_ciphers: text,
  client_tls_dheparams: text,
  client_tls_ecdhcurve: text,
  client_tls_key_file: text,
  client_tls_protocols: text,
  client_tls_sslmode: sslmode,
  default_pool_size: connections,
  disable_pqexec: onOff,
  dns_max_ttl: timeout,
  dns_nxdomain_ttl: timeout,
  dns_zone_check_period: timeout,
  idle_transaction_timeout: timeout,
  ignore_startup_parameters: text,
  job_name: text,
  listen_addr: text,
  listen_backlog: integer(1, 65_535),
  listen_port: integer(1, 65_535),
  log_connections: onOff,
  log_disconnections: onOff,
  log_pooler_errors: onOff,
  log_stats: onOff,
  logfile: text,
  max_client_conn: connections,
  max_db_client_connections: connections,
  max_db_connections: connections,
  max_packet_size: integer(1024, 2_147_483_647),
  max_prepared_statements: integer(0, 100_000),
  max_user_client_connections: connections,
  max_user_connections: connections,
  min_pool_size: connections,
  peer_id: integer(0, 16_383),
  pidfile: text,
  pkt_buf: integer(512, 1_048_576),
  pool_mode: choice('session', 'transaction', 'statement'),
  query_timeout: timeout,
  // Without one a client would wait for ever; and applications wait as long for a connection of their own pool.
  query_wait_timeout: { kind: 'seconds', least: 1, most: 86_400 },
  reserve_pool_size: connections,
  reserve_pool_timeout: timeout,
  resolv_conf: text,
  sbuf_loopcnt: integer(0, 1000),
  server_check_delay: timeout,
  server_check_query: text,
  server_connect_timeout: timeout,
  server_fast_close: onOff,
  server_idle_timeout: timeout,
  server_lifetime: timeout,
  server_login_retry: timeout,
  server_reset_query: text,
  server_reset_query_always: onOff,
  server_round_robin: onOff,
  server_tls_ca_file: text,
  server_tls_cert_file: text,
  server_tls_ciphers: text,
  server_tls_key_file: text,
  server_tls_protocols: text,
  server_tls_sslmode: sslmode,
  so_reuseport: onOff,
  stats_period: integer(1, 3600),
  stats_users: text,
  suspend_timeout: timeout,
  syslog: onOff,
  syslog_facility: text,
  syslog_ident: text,
  tcp_defer_accept: integer(0, 3600),
  tcp_keepalive: onOff,
  tcp_keepcnt: integer(0, 127),
  tcp_keepidle: integer(0, 32_767),
  tcp_keepintvl: integer(0, 32_767),
  tcp_socket_buffer: integer(0, 67_108_864),
  tcp_user_timeout: integer(0, 3_600_000),
  track_extra_parameters: text,
  unix_socket_dir: text,
  unix_socket_group: text,
  unix_socket_mode: text,
  user: text,
  verbose: integer(0, 5),
};

/** Why the setting does not take the value; undefined if it does. */
export function settingValueProblem(type: SettingType, value: string): string | undefined {
  // PgBouncer reads an ini line by line; what follows a line break would be a setting of its own.
  if (/[\r\n]/.test(value)) return 'holds a line break, which cannot stand in an ini';
  switch (type.kind) {
    case 'text':
      return undefined;
    case 'choice':
      return type.choices.includes(value) ? undefined : `is not one of ${type.choices.join(', ')}`;
    case 'integer':
      return /^\d+$/.test(value) && within(type, Number(value))
        ? undefined
        : `is not a whole number from ${type.least} to ${type.most}`;
    case 'seconds':
      return /^\d+(\.\d+)?$/.test(value) && within(type, Number(value))
        ? undefined
        : `is not a number of seconds from ${type.least} to ${type.most}`;
  }
}

function within({ least, most }: { readonly least: number; readonly most: number }, value: number): boolean {
  return value >= least && value <= most;
}

/** Settings that the name was probably meant to be: those that share most of its words. */
export function similarSettings(name: string): readonly string[] {
  const words = name.split('_');
  const shared = (candidate: string): number => candidate.split('_').filter((word) => words.includes(word)).length;
  const best = Math.max(...Object.keys(pgbouncerSettingTypes).map(shared));
  return best === 0 ? [] : Object.keys(pgbouncerSettingTypes).filter((candidate) => shared(candidate) === best);
}
