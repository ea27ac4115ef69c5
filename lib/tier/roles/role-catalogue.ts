import type { ResolvedTierConfig } from '../../config/resolve-config';

/** Secrets with passwords, named for who reads them. Each but that of the rotation is shared by two roles that take turns. */
export const secretNames = ['application', 'readOnly', 'migrations', 'indexes', 'collector', 'poolerAdmin', 'rotation'] as const;
export type SecretName = (typeof secretNames)[number];

/** Server settings that the catalogue decides for every role; any other that an operator gives a role is left alone. */
export const managedSettings = [
  'default_transaction_read_only',
  'idle_in_transaction_session_timeout',
  'lock_timeout',
  'role',
  'statement_timeout',
  'transaction_timeout',
] as const;
export type ManagedSetting = (typeof managedSettings)[number];

/** A role that nobody logs in to, and what its members may do. */
export interface GroupRole {
  readonly name: string;
  /** On the database; in schema public and the owner's schemas; on the tables and sequences in them. */
  readonly privileges: Readonly<Record<PrivilegeTarget, readonly string[]>>;
}
export type PrivilegeTarget = 'database' | 'schemas' | 'tables' | 'sequences';

/** A role that logs in. */
export interface LoginRole<Secret = SecretName> {
  readonly name: string;
  /** A role that logs in to the pooler stands in its userlist; one that does so only is no role of the database. */
  readonly logsInTo: readonly LoginTarget[];
  readonly memberOf: readonly string[];
  /** Where its password is. */
  readonly secret: Secret;
  readonly scramIterations: number;
  /** Sessions it may have on one instance, -1 for no limit. */
  readonly connectionLimit: number;
  readonly settings: Readonly<Partial<Record<ManagedSetting, string>>>;
  /** Roles whose password it may set. @default - none */
  readonly administers?: readonly string[];
}
export type LoginTarget = 'database' | 'pooler';

/** Every role of the tier but the master, which creates them and is then left alone. */
export interface RoleCatalogue<Secret = SecretName> {
  /** Name of the group that owns what migrations create. */
  readonly owner: string;
  readonly groups: readonly GroupRole[];
  readonly logins: readonly LoginRole<Secret>[];
  readonly extensions: readonly string[];
  /** Group that may write the table of the smoke check. @default - there is no such table */
  readonly smokeTableWriter?: string;
}

/**
 * PostgreSQL's default, for passwords that people may choose and clients that nobody knows: pgjdbc, on which most
 * reporting tools stand, refuses fewer. https://www.postgresql.org/docs/17/runtime-config-connection.html#GUC-SCRAM-ITERATIONS
 */
const defaultScramIterations = 4096;

const noLimit = -1;

/** With a limit on each role that comes through the pooler, whose own limits hold for one task only. */
export function limitPooledRoles(catalogue: RoleCatalogue, connectionLimit: number): RoleCatalogue {
  const isPooled = ({ logsInTo, ...role }: LoginRole): boolean => role.connectionLimit === noLimit && logsInTo.includes('database') && logsInTo.includes('pooler');
  return { ...catalogue, logins: catalogue.logins.map((login) => (isPooled(login) ? { ...login, connectionLimit } : login)) };
}

/** The roles of a tier, named after its database. */
export function roleCatalogue(config: ResolvedTierConfig, extensions: readonly string[]): RoleCatalogue {
  const prefix = config.database.databaseName;
  const owner = `${prefix}_owner`;
  const readwrite = `${prefix}_readwrite`;
  const read = `${prefix}_read`;
  const logins = turnTakers(config, { owner, readwrite, read });
  return {
    owner,
    groups: [
      {
        name: owner,
        // CREATE on the database: migrations make schemas and trusted extensions, the index builder a schema of its own.
        privileges: {
          database: ['CONNECT', 'CREATE', 'TEMPORARY'],
          schemas: ['CREATE', 'USAGE'],
          tables: [],
          sequences: [],
        },
      },
      {
        name: readwrite,
        privileges: {
          database: ['CONNECT', 'TEMPORARY'],
          schemas: ['USAGE'],
          tables: ['DELETE', 'INSERT', 'SELECT', 'UPDATE'],
          sequences: ['SELECT', 'USAGE'],
        },
      },
      {
        name: read,
        privileges: { database: ['CONNECT'], schemas: ['USAGE'], tables: ['SELECT'], sequences: ['SELECT'] },
      },
    ],
    logins: [...logins, rotationRole(prefix, logins)],
    extensions,
    smokeTableWriter: readwrite,
  };
}

/** Who logs in, each beside its alternate. */
function turnTakers(
  config: ResolvedTierConfig,
  { owner, readwrite, read }: Readonly<Record<'owner' | 'readwrite' | 'read', string>>,
): LoginRole[] {
  const prefix = config.database.databaseName;
  const roles: readonly LoginRole[] = [
    {
      name: `${prefix}_app`,
      logsInTo: ['database', 'pooler'],
      memberOf: [readwrite],
      secret: 'application',
      scramIterations: config.roles.applicationScramIterations,
      connectionLimit: noLimit, // see limitPooledRoles
      settings: pooledTimeouts(config.roles),
    },
    {
      name: `${prefix}_readonly`,
      logsInTo: ['database', 'pooler'],
      memberOf: [read],
      secret: 'readOnly',
      scramIterations: defaultScramIterations,
      connectionLimit: noLimit,
      // A role can switch this off for itself; what it may not write is decided by its privileges.
      settings: { ...pooledTimeouts(config.roles), default_transaction_read_only: 'on' },
    },
    {
      name: `${prefix}_migrations`,
      logsInTo: ['database'],
      memberOf: [owner],
      secret: 'migrations',
      scramIterations: defaultScramIterations,
      connectionLimit: 5, // what the connection budget has for them
      settings: {
        // What it creates belongs to the group, not to a login that may be replaced one day.
        role: owner,
        // An ALTER TABLE that waits for one long reader makes every later reader wait for it.
        lock_timeout: '10s',
        statement_timeout: '0',
        transaction_timeout: '0',
      },
    },
    {
      name: `${prefix}_indexes`,
      logsInTo: ['database'],
      // PostgreSQL lets only the owner of a table build an index on it; pg_monitor tells who keeps a build waiting, and
      // how much of the disk is used.
      memberOf: [owner, 'pg_monitor'],
      secret: 'indexes',
      scramIterations: defaultScramIterations,
      connectionLimit: noLimit, // a build that outlives its function must not keep the next one out
      settings: { lock_timeout: '0', statement_timeout: '0', transaction_timeout: '0' },
    },
    {
      name: `${prefix}_collector`,
      // In the pooler it is let in to the admin console, for SHOW.
      logsInTo: ['database', 'pooler'],
      memberOf: ['pg_monitor'],
      secret: 'collector',
      scramIterations: defaultScramIterations,
      connectionLimit: 5,
      settings: { statement_timeout: '10s', transaction_timeout: '20s' },
    },
    {
      name: 'pgbouncer_admin',
      logsInTo: ['pooler'],
      memberOf: [],
      secret: 'poolerAdmin',
      scramIterations: defaultScramIterations,
      connectionLimit: noLimit,
      settings: {},
    },
  ];
  return roles.flatMap((role) => [role, alternateOf(role)]);
}

/**
 * The equal of a role under another name. Rotation gives the one that is not in use a new password while the other
 * works on; the secret names the one whose turn it is. Both exist from the start; the alternate has no password, and is
 * not in the userlist, until the first rotation gives it one: PostgreSQL lets nobody in without.
 */
function alternateOf(role: LoginRole): LoginRole {
  // What the index builder has made for itself belongs to the one that made it.
  const memberOf = role.secret === 'indexes' ? [...role.memberOf, role.name] : role.memberOf;
  return { ...role, name: `${role.name}_alternate`, memberOf };
}

/**
 * Sets the passwords of all others, which takes CREATEROLE and, since PostgreSQL 16, ADMIN OPTION on each: the master,
 * which created them, passes that on and is not needed again. It changes its own without an alternate, since nobody
 * but the rotation logs in as it. https://www.postgresql.org/docs/17/sql-createrole.html
 */
function rotationRole(prefix: string, logins: readonly LoginRole[]): LoginRole {
  return {
    name: `${prefix}_rotation`,
    logsInTo: ['database'],
    memberOf: [],
    secret: 'rotation',
    scramIterations: defaultScramIterations,
    connectionLimit: secretNames.length, // those that are rotated at the same time wait for each other
    settings: { statement_timeout: '30s', transaction_timeout: '60s' },
    administers: logins.filter(({ logsInTo }) => logsInTo.includes('database')).map(({ name }) => name),
  };
}

/** A server connection that is held longer than these is held from everybody in the pool. */
function pooledTimeouts(roles: ResolvedTierConfig['roles']): LoginRole['settings'] {
  return {
    statement_timeout: `${roles.applicationStatementTimeoutMs}ms`,
    transaction_timeout: `${roles.applicationTransactionTimeoutMs}ms`,
    idle_in_transaction_session_timeout: '30s',
  };
}
