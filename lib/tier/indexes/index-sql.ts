import { quoteIdentifier } from '../database/sql-quoting';

/** An index name and its table, as stored in the catalog. */
export interface IndexPlace {
  readonly name: string;
  readonly schema: string;
  readonly table: string;
}

/** First key of the advisory lock that a builder holds; the second is the table's oid. */
export const builderLockClass = 1_768_843_364; // 'indb' in ASCII

/**
 * Settings of a session that builds. It must outlive its client: nothing that a client's death, a role or a database
 * could set may end it. A notice to a dead client would, hence client_min_messages.
 *
 * @see https://www.postgresql.org/docs/17/runtime-config-client.html
 */
export const builderSettings: readonly string[] = [
  'SET client_connection_check_interval = 0',
  'SET statement_timeout = 0',
  // It would count the waits for other sessions' snapshots, and leave an INVALID index when it ends.
  'SET lock_timeout = 0',
  'SET transaction_timeout = 0',
  'SET idle_in_transaction_session_timeout = 0',
  'SET client_min_messages = error',
  // Frees the lock of a builder that is done and whose client does not come back.
  "SET idle_session_timeout = '30s'",
  "SET search_path = ''",
];

/** What is known of the indexes and their tables; one row for each index asked for. */
export const observeSql = `
  SELECT wanted.ordinality - 1 AS position,
         c.oid::text AS "tableOid",
         c.relkind AS "tableKind",
         CASE WHEN c.oid IS NULL THEN false ELSE pg_has_role(c.relowner, 'USAGE') END AS "mayBuild",
         pg_get_userbyid(c.relowner) AS "tableOwner",
         i.indexrelid::text AS "indexOid",
         i.indisvalid AS valid,
         pg_get_indexdef(i.indexrelid) AS "existingDefinition",
         i.indrelid = c.oid AS "onTable"
    FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS wanted (name, schema, "table", ordinality)
    LEFT JOIN pg_namespace n ON n.nspname = wanted.schema
    LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = wanted."table" AND c.relkind NOT IN ('i', 'I', 'S', 'c', 't')
    LEFT JOIN pg_class ic ON ic.relnamespace = n.oid AND ic.relname = wanted.name AND ic.relkind IN ('i', 'I')
    LEFT JOIN pg_index i ON i.indexrelid = ic.oid
   ORDER BY wanted.ordinality`;

/** Tables whose builder lives, read before {@link observeSql}: the other order takes a finished build for a dead one. */
export const buildersSql = `
  SELECT l.objid::text AS "tableOid"
    FROM pg_locks l
   WHERE l.locktype = 'advisory' AND l.classid = $1 AND l.objsubid = 2 AND l.granted
     AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

/** Who keeps builders waiting. */
export const blockersSql = `
  SELECT b.pid, a.usename AS "user", a.application_name AS application, a.state,
         extract(epoch FROM now() - a.xact_start)::int AS "transactionSeconds"
    FROM pg_locks l
    CROSS JOIN LATERAL unnest(pg_blocking_pids(l.pid)) AS b (pid)
    JOIN pg_stat_activity a ON a.pid = b.pid
   WHERE l.locktype = 'advisory' AND l.classid = $1 AND l.objsubid = 2 AND l.granted`;

/** An empty table with the columns of the real one, on which a definition can be tried. */
export function createShadowSql({ schema, table }: IndexPlace): string {
  return `CREATE TEMP TABLE index_shadow (LIKE ${quoteIdentifier(schema)}.${quoteIdentifier(table)}) ON COMMIT DROP`;
}

/** Tries a definition on the shadow table: PostgreSQL judges every column, type, operator class and function. */
export function createOnShadowSql(unique: boolean, definition: string): string {
  return `CREATE ${unique ? 'UNIQUE ' : ''}INDEX index_shadow_trial ON pg_temp.index_shadow ${definition}`;
}

export const shadowDefinitionSql = "SELECT pg_get_indexdef('pg_temp.index_shadow_trial'::regclass) AS definition";

/** The part that says what is indexed and how: `USING method (…) …`, in PostgreSQL's own canonical text. */
export function canonicalPart(indexDefinition: string): string {
  // Identifiers before it are quoted by PostgreSQL, so a USING of their own stands in double quotes.
  const match = /^CREATE (?:UNIQUE )?INDEX (?:"(?:[^"]|"")*"|[^" ]+) ON (?:ONLY )?(?:(?:"(?:[^"]|"")*"|[^".\s]+)\.)?(?:"(?:[^"]|"")*"|[^"\s]+) (USING .*)$/s.exec(indexDefinition);
  if (!match) throw new Error(`PostgreSQL described an index in a way that is not understood: ${indexDefinition}`);
  return match[1]!;
}

/** @param canonical text of {@link canonicalPart}: what is built is what PostgreSQL itself wrote */
export function createConcurrentlySql({ name, schema, table }: IndexPlace, unique: boolean, canonical: string): string {
  return `CREATE ${unique ? 'UNIQUE ' : ''}INDEX CONCURRENTLY ${quoteIdentifier(name)} ON ${quoteIdentifier(schema)}.${quoteIdentifier(table)} ${canonical}`;
}

export function dropConcurrentlySql({ name, schema }: IndexPlace): string {
  return `DROP INDEX CONCURRENTLY ${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}
