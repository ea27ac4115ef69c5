import type { Client } from 'pg';

import { statementError } from './bootstrap-errors';
import {
  bootstrapStatements,
  createSetVerifier,
  type DatabaseFacts,
  setVerifier,
  type Statement,
} from './bootstrap-sql';
import {
  type ForeignRelation,
  foreignRelationsQuery,
  foreignRelationWarnings,
  grantMissingPrivileges,
  type MissingPrivilege,
  missingPrivilegesQuery,
} from './existing-relations';
import type { RoleCatalogue } from './role-catalogue';

/**
 * Advisory lock of whoever changes verifiers in the database and in the userlist, so that they cannot drift apart.
 * Any number would do; this one spells "roles".
 */
export const rolesLockKey = 0x726f6c6573;

/** Of the session. With no search_path, nobody's function in schema public is called by the master by mistake. */
const sessionSettings = [
  "SET search_path = ''",
  "SET statement_timeout = '60s'",
  "SET lock_timeout = '30s'",
  "SET idle_in_transaction_session_timeout = '60s'",
];

/**
 * Waits until no one else changes roles. The lock is held until the session ends.
 *
 * @throws Error after 30 seconds
 */
export async function lockRoles(session: Client, who?: string): Promise<void> {
  for (const sql of sessionSettings) await session.query(sql);
  await runStatement(
    session,
    { what: 'take the lock on changes of roles', sql: 'SELECT pg_advisory_lock($1)', values: [rolesLockKey] },
    who,
  );
}

/**
 * Brings the database to the catalogue, all or nothing.
 *
 * @param verifiers of the roles whose password is known
 * @returns warnings: what the bootstrap may not change
 */
export async function applyRoles(
  master: Client,
  catalogue: RoleCatalogue<unknown>,
  verifiers: ReadonlyMap<string, string>,
): Promise<readonly string[]> {
  const warnings: string[] = [];
  // A GRANT of what the master may not grant is no error in PostgreSQL.
  const onNotice = ({ severity, message }: { severity?: string; message?: string }): void => {
    if (severity === 'WARNING' && message) warnings.push(message);
  };
  master.on('notice', onNotice);
  await master.query('BEGIN');
  try {
    const facts = await readFacts(master);
    for (const statement of bootstrapStatements(catalogue, facts)) await runStatement(master, statement);
    const missing = await runStatement<MissingPrivilege>(master, missingPrivilegesQuery(catalogue));
    for (const statement of grantMissingPrivileges(missing)) await runStatement(master, statement);
    await runStatement(master, createSetVerifier);
    for (const [role, verifier] of verifiers) await runStatement(master, setVerifier(role, verifier));
    const foreign = await runStatement<ForeignRelation>(master, foreignRelationsQuery(catalogue.owner));
    await master.query('COMMIT');
    return [...warnings, ...foreignRelationWarnings(foreign, catalogue.owner)];
  } catch (error) {
    // The error is what matters, not whether the connection that caused it can still roll back.
    await master.query('ROLLBACK').catch(() => undefined);
    throw error;
  } finally {
    master.off('notice', onNotice);
  }
}

async function readFacts(master: Client): Promise<DatabaseFacts> {
  const [session] = await runStatement<{ database: string; master: string }>(master, {
    what: 'read the name of the session',
    sql: 'SELECT current_database() AS database, current_user AS master',
  });
  const roles = await runStatement<{ rolname: string }>(master, { what: 'read the roles', sql: 'SELECT rolname FROM pg_roles' });
  return { ...session!, existingRoles: new Set(roles.map(({ rolname }) => rolname)) };
}

/**
 * @param who in messages. @default - the bootstrap
 * @throws Error that says what could not be done, why, and what to do
 */
export async function runStatement<Row>(session: Client, { what, sql, values }: Statement, who?: string): Promise<Row[]> {
  try {
    const { rows } = await session.query<Row & Record<string, unknown>>(sql, values && [...values]);
    return rows;
  } catch (error) {
    throw statementError(error as Error, what, session.user ?? 'the master', who);
  }
}
