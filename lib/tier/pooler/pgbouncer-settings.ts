import type { ResolvedTierConfig } from '../../config/resolve-config';
import { poolerPort } from '../network/access-list';
import { type PoolerDatabase, serverTlsSslmode } from './pgbouncer-databases';
import { pgbouncerSettingTypes, settingValueProblem, similarSettings } from './pgbouncer-setting-catalogue';
import { balancerIdleTimeoutSeconds, taskCapacity } from './task-capacity';

/** A setting, and the reason for its value. */
interface PgbouncerSetting {
  readonly name: string;
  readonly value: string;
  readonly why: string;
}

type PoolerConfig = ResolvedTierConfig['pooler'];

/** Names under which the tier's people and functions come to the admin console. */
export interface ConsoleUsers {
  /** May PAUSE, RESUME and RELOAD. */
  readonly admin: string;
  /** May SHOW, and nothing else. */
  readonly stats: string;
}

/**
 * The settings of a task, sorted by name, each once: the tier's defaults, the operator's over them, then those without
 * which the tier would not be one. What belongs to the place where PgBouncer runs, paths and addresses, is the
 * entrypoint's.
 */
export function renderPgbouncerSettings(
  config: PoolerConfig,
  users: ConsoleUsers,
  databases: readonly PoolerDatabase[],
): Readonly<Record<string, string>> {
  const valuesOf = (settings: readonly PgbouncerSetting[]) => settings.map(({ name, value }) => [name, value] as const);
  const merged = new Map([
    ...valuesOf(defaultSettings),
    ...Object.entries(config.settings),
    ...valuesOf(mandatorySettings),
    ['admin_users', users.admin],
    ['max_client_conn', `${taskCapacity(config).clientConnections}`],
    ['server_tls_sslmode', serverTlsSslmode(databases)],
    ['stats_users', users.stats],
  ]);
  return Object.fromEntries([...merged].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What is wrong with the operator's settings, one sentence each. */
export function poolerSettingProblems({ settings }: Pick<PoolerConfig, 'settings'>): readonly string[] {
  return Object.entries(settings).flatMap(([name, value]) => settingProblem(name, value) ?? []);
}

function settingProblem(name: string, value: string): string | undefined {
  const type = pgbouncerSettingTypes[name];
  if (!type) {
    const similar = similarSettings(name);
    const hint =
      similar.length > 0 ? `did you mean ${similar.join(' or ')}?` : 'see https://www.pgbouncer.org/config.html';
    return `${name} is not a setting of PgBouncer 1.24; ${hint}`;
  }
  const owner = ownedSettings[name];
  if (owner !== undefined) return `${name} is ${owner}; leave it out`;
  const mandatory = mandatorySettings.find((setting) => setting.name === name);
  if (mandatory && mandatory.value !== value) {
    return `${name} must be ${mandatory.value}, not "${value}": ${mandatory.why}; leave it out`;
  }
  const problem = settingValueProblem(type, value);
  if (problem) return `${name} = "${value}" ${problem}`;
  return keepaliveProblem(name, value);
}

/** A connection of which the balancer hears nothing for longer is forgotten, and its client's next words are refused. */
function keepaliveProblem(name: string, value: string): string | undefined {
  if (name === 'tcp_keepalive' && value === '0') {
    return `tcp_keepalive must be 1: the balancer forgets clients that are silent for ${balancerIdleTimeoutSeconds} s; leave it out`;
  }
  if (name === 'tcp_keepidle' && (value === '0' || Number(value) >= balancerIdleTimeoutSeconds)) {
    return `tcp_keepidle = "${value}" is no number of seconds below ${balancerIdleTimeoutSeconds}, after which the balancer forgets silent clients; lower it`;
  }
  return undefined;
}

/** A database that fails over, or whose host vanishes, is found again within seconds; no web request waits longer. */
const defaultSettings: readonly PgbouncerSetting[] = [
  { name: 'client_login_timeout', value: '5', why: 'seconds; stalled TLS handshakes keep others out for that long' },
  { name: 'dns_max_ttl', value: '1', why: 'seconds; how late a failover that moves the name is noticed' },
  { name: 'dns_nxdomain_ttl', value: '1', why: 'seconds; a name may be missing for a moment while it moves' },
  {
    name: 'idle_transaction_timeout',
    value: '60',
    why: 'seconds; an abandoned transaction takes a server connection from everybody',
  },
  {
    name: 'ignore_startup_parameters',
    value: 'extra_float_digits',
    why: "JDBC sends it, and PostgreSQL's default is as exact; anything else that is ignored would be lost silently",
  },
  { name: 'listen_backlog', value: '4096', why: 'thousands of clients come at once when a task is replaced' },
  { name: 'log_connections', value: '0', why: 'a line for each login of thousands of clients hides the others' },
  { name: 'log_disconnections', value: '0', why: 'likewise, and for every health check' },
  { name: 'max_prepared_statements', value: '200', why: 'on each server connection; 0 would break every driver that prepares' },
  {
    name: 'query_wait_timeout',
    value: '15',
    why: 'seconds in the queue for a server connection; longer outlives a web request',
  },
  {
    name: 'server_check_delay',
    value: '5',
    why: 'seconds; a server connection idle for longer is tried before a client gets it',
  },
  { name: 'server_connect_timeout', value: '3', why: 'seconds, login included' },
  { name: 'server_login_retry', value: '1', why: 'seconds; how late the end of a restart is noticed' },
  {
    name: 'tcp_keepcnt',
    value: '3',
    why: 'probes without an answer; with a tcp_user_timeout, Linux ends a connection at the first after it instead, so three must fit before: one that is lost in a full queue ends no session',
  },
  { name: 'tcp_keepidle', value: '2', why: "seconds; far below the balancer's idle timeout" },
  { name: 'tcp_keepintvl', value: '1', why: 'seconds between probes' },
  {
    name: 'tcp_user_timeout',
    value: '5000',
    why: 'milliseconds; a host that vanished leaves sent data unacknowledged',
  },
];

const mandatorySettings: readonly PgbouncerSetting[] = [
  { name: 'auth_type', value: 'scram-sha-256', why: 'the userlist holds nothing but SCRAM verifiers' },
  {
    name: 'client_tls_sslmode',
    value: 'require',
    why: 'no password proof and no data crosses the network in the clear',
  },
  { name: 'listen_port', value: `${poolerPort}`, why: 'balancer and security groups know this port only' },
  { name: 'pool_mode', value: 'transaction', why: 'sessions would need a server connection each' },
];

const byEntrypoint = 'set by the entrypoint of the image';
const byRoles = 'set by the tier, which knows its roles';
const byUserlist = 'of no use: RDS lets nobody read passwords, the userlist says who may log in';
const toStandardError = 'set by the tier: the log goes to CloudWatch by standard error';
const onePerTask = 'set by the tier: a task runs one PgBouncer';

/** Settings that the operator cannot have, and whose they are. */
const ownedSettings: Readonly<Record<string, string>> = {
  admin_users: byRoles,
  auth_dbname: byUserlist,
  auth_file: byEntrypoint,
  auth_hba_file: byUserlist,
  auth_ident_file: byUserlist,
  auth_query: byUserlist,
  auth_user: byUserlist,
  autodb_idle_timeout: 'of no use: the tier names its databases',
  client_tls_ca_file: byEntrypoint,
  client_tls_cert_file: byEntrypoint,
  client_tls_key_file: byEntrypoint,
  default_pool_size: 'computed from poolSize and readOnlyPoolSize',
  disable_pqexec: 'of no use: it refuses simple queries, and so psycopg2 and the admin console itself',
  job_name: toStandardError,
  listen_addr: byEntrypoint,
  logfile: toStandardError,
  max_client_conn: 'computed from maxClientConnections',
  max_db_connections: 'computed from poolSize and readOnlyPoolSize',
  peer_id: onePerTask,
  pidfile: byEntrypoint,
  resolv_conf: byEntrypoint,
  server_tls_ca_file: byEntrypoint,
  server_tls_cert_file: byEntrypoint,
  server_tls_key_file: byEntrypoint,
  server_tls_sslmode: 'as strict as the tier can have it',
  so_reuseport: onePerTask,
  stats_users: byRoles,
  syslog: toStandardError,
  syslog_facility: toStandardError,
  syslog_ident: toStandardError,
  unix_socket_dir: byEntrypoint,
  unix_socket_group: byEntrypoint,
  unix_socket_mode: byEntrypoint,
  user: byEntrypoint,
};
