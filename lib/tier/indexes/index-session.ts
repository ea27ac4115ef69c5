import type { Client } from 'pg';

import { answeredWithin, endsWithin } from './time-limit';

/** First key of the advisory lock that a builder holds; the second is the table's oid. */
export const builderLockClass = 1_768_843_364; // 'indb' in ASCII

/** Shown in pg_stat_activity before the name of the index that a session works on. */
export const builderApplicationName = 'index build: ';

/** Then a server is taken for one that has vanished. It is longer than the longest statement of a look. */
export const longestLookMs = 120_000;
/** A server that has vanished does not take leave. */
const longestFarewellMs = 2000;

/** Settings of every session, whatever its role and database set. */
const sessionSettings: Readonly<Record<string, string>> = {
  search_path: '',
  // Whoever looks must not queue behind DDL that waits itself, nor hold a build back for long.
  lock_timeout: '2s',
  statement_timeout: '60s',
  idle_in_transaction_session_timeout: '10s',
  transaction_timeout: '0', // new in PostgreSQL 17
  default_transaction_read_only: 'off',
  default_transaction_isolation: 'read committed',
  // Off, it would be an error to ask the planner about a table whose policies hold for its owner too.
  row_security: 'on',
  // Constants of a definition are read and written by these: with others, the same index would look like another one.
  TimeZone: 'UTC',
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  extra_float_digits: '1',
  bytea_output: 'hex',
  quote_all_identifiers: 'off',
  standard_conforming_strings: 'on',
};

/**
 * Settings of a session that builds. It must outlive its client: nothing that a client's death, a role or a database
 * could set may end it. A notice to a dead client would, hence client_min_messages.
 *
 * @see https://www.postgresql.org/docs/17/runtime-config-client.html
 */
const builderSettings: Readonly<Record<string, string>> = {
  client_connection_check_interval: '0',
  statement_timeout: '0',
  // It would count the waits for other sessions' snapshots, and leave an INVALID index when it ends.
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  client_min_messages: 'error',
  // Frees the lock of a builder that is done and whose client does not come back.
  idle_session_timeout: '30s',
};

/** Before 14 the settings above do not exist; in 14.0 to 14.3 concurrent builds corrupt. https://www.postgresql.org/docs/release/14.4/ */
const oldestVersion = 140_004;

/** What a server says of itself. */
export interface ServerFacts {
  readonly standby: boolean;
  readonly version: number;
  readonly versionText: string;
  /** Of the session, as the server knows it. */
  readonly pid: number;
}

/** What the client was told of its session. */
export interface SessionFacts {
  readonly pid: number | null;
  readonly inTransaction: boolean;
}

/**
 * Makes sure that a session is on the primary itself, and independent of what its role and database set.
 *
 * @throws Error if it is on a standby, goes through a pooler, is inside a transaction, or the server is older than 14.4
 */
export async function prepareSession(session: Client): Promise<void> {
  const { rows } = await session.query<ServerFacts>(
    `SELECT pg_is_in_recovery() AS standby, current_setting('server_version_num')::int AS version,
            current_setting('server_version') AS "versionText", pg_backend_pid() AS pid`,
  );
  const problem = serverProblem(rows[0]!, { pid: (session as unknown as { readonly processID: number | null }).processID, inTransaction: session.getTransactionStatus() !== 'I' });
  if (problem !== undefined) throw new Error(problem);
  await set(session, sessionSettings);
}

/**
 * Opens a session and prepares it. The caller ends it by {@link endSession}.
 *
 * @throws Error as {@link prepareSession} does, or if the server does not answer, with the session closed
 */
export async function openPrepared(connect: () => Promise<Client>, longestMs = longestLookMs): Promise<Client> {
  const session = await connect();
  // One that is lost while nobody asks it says so at the next statement.
  session.on('error', () => undefined);
  try {
    await answeredWithin(longestMs, prepareSession(session));
    return session;
  } catch (error) {
    await endSession(session);
    throw error;
  }
}

/**
 * Looks at a database in a prepared session of its own, which ends with it.
 *
 * @throws Error as {@link openPrepared} does, or if the look takes too long
 */
export async function withPrepared<Result>(connect: () => Promise<Client>, look: (session: Client) => Promise<Result>, longestMs = longestLookMs): Promise<Result> {
  const session = await openPrepared(connect, longestMs);
  try {
    return await answeredWithin(longestMs, look(session));
  } finally {
    await endSession(session);
  }
}

/** Ends a session, whether its server still answers or not. */
export async function endSession(session: Client): Promise<void> {
  await endsWithin(longestFarewellMs, session.end().catch(() => undefined));
}

/** Why nothing can be built on a server; undefined if it can. */
export function serverProblem({ standby, version, versionText, pid }: ServerFacts, told: SessionFacts): string | undefined {
  // A pooler invents the process id that it tells its clients.
  if (told.pid !== pid) return 'there is a pooler between; a build needs a session of its own: use the endpoint of the instance itself';
  if (told.inTransaction) return 'the session is inside a transaction, as behind a pooler; use the endpoint of the instance itself';
  if (standby) return 'the endpoint is a replica; indexes are built on the primary, and replicas follow';
  if (version < oldestVersion) return `the server runs PostgreSQL ${versionText}, whose concurrent builds are not safe; indexes are built on 14.4 and later`;
  return undefined;
}

/** Makes a session one that works on an index. */
export async function becomeBuilder(session: Client, index: string): Promise<void> {
  await set(session, { ...builderSettings, application_name: `${builderApplicationName}${index}` });
}

/** Lets as many parallel workers help a build, if the server has them to spare. */
export async function allowWorkers(session: Client, workers: number): Promise<void> {
  await set(session, { max_parallel_maintenance_workers: `${workers}` });
}

/** Takes the builder's lock of a table, which ends with the session; false if somebody else has it. */
export async function tryLockTable(session: Client, tableOid: string): Promise<boolean> {
  const { rows } = await session.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1, $2::oid::int) AS locked', [builderLockClass, tableOid]);
  return rows[0]!.locked;
}

/** Those that the server knows. */
async function set(session: Client, settings: Readonly<Record<string, string>>): Promise<void> {
  await session.query(
    `SELECT set_config(name, value, false) FROM unnest($1::text[], $2::text[]) AS s (name, value)
      WHERE current_setting(name, true) IS NOT NULL`,
    [Object.keys(settings), Object.values(settings)],
  );
}
