import type { Client } from 'pg';

/** First key of the advisory lock that a builder holds; the second is the table's oid. */
export const builderLockClass = 1_768_843_364; // 'indb' in ASCII

/** Shown in pg_stat_activity before the name of the index that a session works on. */
export const builderApplicationName = 'index build: ';

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
  // New in PostgreSQL 17.
  transaction_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  client_min_messages: 'error',
  // One core for each build: those side by side take what there is, and the application must have the rest.
  max_parallel_maintenance_workers: '0',
  // Frees the lock of a builder that is done and whose client does not come back.
  idle_session_timeout: '30s',
};

const lookingLockTimeout = '2s';

/** Before 14 the settings above do not exist; in 14.0 to 14.3 concurrent builds corrupt. https://www.postgresql.org/docs/release/14.4/ */
const oldestVersion = 140_004;

/**
 * Makes sure that a session is on the primary itself.
 *
 * @throws Error if it is on a standby, goes through a pooler, or the server is older than 14.4
 */
export async function prepareSession(session: Client): Promise<void> {
  const { rows } = await session.query<{ standby: boolean; version: number; versionText: string; pid: number }>(
    `SELECT pg_is_in_recovery() AS standby, current_setting('server_version_num')::int AS version,
            current_setting('server_version') AS "versionText", pg_backend_pid() AS pid`,
  );
  const { standby, version, versionText, pid } = rows[0]!;
  // A pooler invents the process id that it tells its clients.
  if ((session as unknown as { processID: number | null }).processID !== pid) {
    throw new Error('there is a pooler between; a build needs a session of its own: use the endpoint of the instance itself');
  }
  if (standby) throw new Error('the endpoint is a replica; indexes are built on the primary, and replicas follow');
  if (version < oldestVersion) {
    throw new Error(`the server runs PostgreSQL ${versionText}, whose concurrent builds are not safe; indexes are built on 14.4 and later`);
  }
  await session.query("SET search_path = ''");
  // Whoever looks must not queue behind DDL that waits itself.
  await session.query(`SET lock_timeout = '${lookingLockTimeout}'`);
}

/** Makes a session one that builds, whatever its role and database set. */
export async function becomeBuilder(session: Client, index: string): Promise<void> {
  await session.query(
    `SELECT set_config(name, value, false) FROM unnest($1::text[], $2::text[]) AS s (name, value)
      WHERE current_setting(name, true) IS NOT NULL`,
    [Object.keys(builderSettings), Object.values(builderSettings)],
  );
  await session.query("SELECT set_config('application_name', $1, false)", [`${builderApplicationName}${index}`]);
}

/** Takes the builder's lock of a table, which ends with the session; false if somebody else has it. */
export async function tryLockTable(session: Client, tableOid: string): Promise<boolean> {
  const { rows } = await session.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1, $2::oid::int) AS locked', [builderLockClass, tableOid]);
  return rows[0]!.locked;
}
