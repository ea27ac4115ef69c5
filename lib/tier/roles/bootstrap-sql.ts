import { type GroupRole, type LoginRole, managedSettings, type RoleCatalogue } from './role-catalogue';
import { quoteIdentifier, quoteLiteral } from '../database/sql-quoting';
import { smokeTableStatements } from '../smoke-check/smoke-table';

/** A statement of the bootstrap. */
export interface Statement {
  /** What it does, for messages: "create role …". */
  readonly what: string;
  readonly sql: string;
  readonly values?: readonly unknown[];
}

/** What the bootstrap must know of the database before it writes. */
export interface DatabaseFacts {
  readonly database: string;
  /** The role it is logged in as. */
  readonly master: string;
  readonly existingRoles: ReadonlySet<string>;
}

/**
 * Brings roles, privileges and extensions to the catalogue; run again, it changes nothing. Nothing is dropped, and
 * nothing revoked but the right of everybody to create in schema public, which PostgreSQL itself no longer gives.
 */
export function bootstrapStatements(catalogue: RoleCatalogue<unknown>, facts: DatabaseFacts): readonly Statement[] {
  const logins = catalogue.logins.filter(({ logsInTo }) => logsInTo.includes('database'));
  return [
    ...[...catalogue.groups, ...logins].filter(({ name }) => !facts.existingRoles.has(name)).map(createRole),
    ...catalogue.groups.map(({ name }) => alterRole(name, 'NOLOGIN')),
    ...logins.map(({ name, connectionLimit }) => alterRole(name, `LOGIN CONNECTION LIMIT ${connectionLimit}`)),
    becomeOwner(catalogue.owner, facts.master),
    ...logins.flatMap(memberships),
    ...logins.flatMap(administrations),
    ...logins.flatMap(settings),
    { what: 'let nobody create in schema public unasked', sql: 'REVOKE CREATE ON SCHEMA public FROM PUBLIC' },
    ...catalogue.groups.flatMap((group) => privileges(group, facts.database)),
    ...catalogue.groups.flatMap((group) => defaultPrivileges(group, catalogue.owner)),
    ...(catalogue.smokeTableWriter ? smokeTableStatements(catalogue.smokeTableWriter) : []),
    ...extensions(catalogue.extensions),
  ];
}

/**
 * Passes verifiers on as parameters, inside a function that lives as long as the session: the text of a plain
 * `ALTER ROLE … PASSWORD` would stand in pg_stat_activity while it runs, and in the log if it fails, is slow, or
 * `log_statement` is on. Parameters stay out of all three as long as `log_parameter_max_length` is 0. The handler keeps
 * PostgreSQL from adding the inner statement to the error as its context.
 */
export const createSetVerifier: Statement = {
  what: 'prepare for setting passwords',
  sql: `CREATE OR REPLACE FUNCTION pg_temp.set_verifier(role_name text, verifier text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER ROLE %I PASSWORD %L', role_name, verifier);
EXCEPTION WHEN OTHERS THEN
  RAISE EXCEPTION USING ERRCODE = SQLSTATE, MESSAGE = SQLERRM;
END
$$`,
};

/** Sets a role's password by its verifier; needs `createSetVerifier`. */
export function setVerifier(role: string, verifier: string): Statement {
  return {
    what: `set the password of role "${role}"`,
    sql: 'SELECT pg_temp.set_verifier($1, $2)',
    values: [role, verifier],
  };
}

function createRole({ name }: { readonly name: string }): Statement {
  return { what: `create role "${name}"`, sql: `CREATE ROLE ${quoteIdentifier(name)}` };
}

function alterRole(name: string, attributes: string): Statement {
  return { what: `alter role "${name}"`, sql: `ALTER ROLE ${quoteIdentifier(name)} INHERIT ${attributes}` };
}

/**
 * Since PostgreSQL 16 a role that may create others administers them, but neither inherits from them nor can become
 * them unless it says so: without this, the owner's default privileges are not the master's to alter.
 * https://www.postgresql.org/docs/17/role-attributes.html
 */
function becomeOwner(owner: string, master: string): Statement {
  return {
    what: `make "${master}" a member of "${owner}"`,
    sql: `GRANT ${quoteIdentifier(owner)} TO ${quoteIdentifier(master)} WITH INHERIT TRUE, SET TRUE`,
  };
}

function memberships({ name, memberOf }: LoginRole<unknown>): Statement[] {
  return memberOf.map((group) => ({
    what: `make "${name}" a member of "${group}"`,
    sql: `GRANT ${quoteIdentifier(group)} TO ${quoteIdentifier(name)} WITH INHERIT TRUE, SET TRUE`,
  }));
}

/** To set passwords, and nothing else: neither to become the role nor to have its privileges. */
function administrations({ name, administers = [] }: LoginRole<unknown>): Statement[] {
  if (administers.length === 0) return [];
  return [
    alterRole(name, 'CREATEROLE'),
    ...administers.map((role) => ({
      what: `let "${name}" set the password of "${role}"`,
      sql: `GRANT ${quoteIdentifier(role)} TO ${quoteIdentifier(name)} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE`,
    })),
  ];
}

function settings({ name, settings }: LoginRole<unknown>): Statement[] {
  return managedSettings.map((setting) => {
    const value = settings[setting];
    const change = value === undefined ? `RESET ${setting}` : `SET ${setting} = ${quoteLiteral(value)}`;
    return { what: `alter role "${name}": ${change}`, sql: `ALTER ROLE ${quoteIdentifier(name)} ${change}` };
  });
}

function privileges({ name, privileges }: GroupRole, database: string): Statement[] {
  return [
    ...grant(privileges.database, `DATABASE ${quoteIdentifier(database)}`, name),
    ...grant(privileges.schemas, 'SCHEMA public', name),
  ];
}

/** What the owner creates from now on, in whatever schema. Tables that are there already: existing-relations.ts. */
function defaultPrivileges({ name, privileges }: GroupRole, owner: string): Statement[] {
  if (name === owner) return [];
  const alter = `ALTER DEFAULT PRIVILEGES FOR ROLE ${quoteIdentifier(owner)} `;
  return [
    ...grant(privileges.schemas, 'SCHEMAS', name, alter),
    ...grant(privileges.tables, 'TABLES', name, alter),
    ...grant(privileges.sequences, 'SEQUENCES', name, alter),
  ];
}

function grant(privileges: readonly string[], target: string, role: string, alter = ''): Statement[] {
  if (privileges.length === 0) return [];
  const list = privileges.join(', ');
  return [
    {
      what: `grant ${list} on ${target} to "${role}"`,
      sql: `${alter}GRANT ${list} ON ${target} TO ${quoteIdentifier(role)}`,
    },
  ];
}

/** Into schema public, but for those that insist on another. The session has no search_path: see bootstrap.ts. */
function extensions(names: readonly string[]): Statement[] {
  return [
    { what: 'choose the schema of extensions', sql: 'SET LOCAL search_path = public' },
    ...names.map((name) => ({
      what: `create extension "${name}"`,
      sql: `CREATE EXTENSION IF NOT EXISTS ${quoteIdentifier(name)}`,
    })),
    { what: 'leave the schema of extensions', sql: "SET LOCAL search_path = ''" },
  ];
}
