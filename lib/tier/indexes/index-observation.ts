import type { Client } from 'pg';

import type { IndexCatalogue } from './index-catalogue';
import { nameBeside } from './index-names';
import { builderLockClass } from './index-session';
import { canonicalPart } from './index-sql';
import { observePartitioning, type Partitioning } from './partitioned-table';

/** What the catalog says of a table. */
export interface ObservedTable {
  readonly oid: string;
  /** `relkind`: `r` is an ordinary table, `p` a partitioned one, `v` a view. */
  readonly kind: string;
  /** Changes when its columns do, and with them what PostgreSQL makes of a definition. */
  readonly columns: string;
  readonly owner: string;
  /** Who asks. */
  readonly role: string;
  readonly mayBuild: boolean;
  /** PostgreSQL asks for it beside the rights of the table's owner. */
  readonly mayCreateInSchema: boolean;
  /** Of a partitioned table. */
  readonly partitioning?: Partitioning;
  /**
   * Somebody who holds no builder's lock builds, repairs or alters it now. Whatever queues behind a concurrent build by
   * hand cancels it by a deadlock, so nothing is begun. VACUUM is waited for by the server, and harmed by nobody.
   */
  readonly lockedByOthers: boolean;
  /** DDL holds it or waits for it: whoever asked PostgreSQL about it would queue behind. */
  readonly locked: boolean;
}

/** What the catalog says of an index. */
export interface ObservedIndex {
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
  readonly tableOid: string;
  readonly table: string;
  readonly unique: boolean;
  /** Of a deferrable constraint, which is checked at the end of a statement or a transaction only. */
  readonly deferrable: boolean;
  readonly valid: boolean;
  /** `USING …`, PostgreSQL's own text; empty while DDL has the table. */
  readonly definition: string;
  readonly comment: string | null;
  /** A constraint that stands on it. */
  readonly constraint: string | null;
  readonly replicaIdentity: boolean;
  /** Attached to an index of a partitioned table. */
  readonly attached: boolean;
  /** At its last VACUUM, ANALYZE or build. */
  readonly bytes: number;
}

/** A database at one look. */
export interface Observation {
  readonly database: string;
  /** Oids of the tables whose builder lives. */
  readonly busyTables: ReadonlySet<string>;
  /** In the order of the catalogue's indexes. */
  readonly tables: readonly (ObservedTable | undefined)[];
  /** Every index of these tables, and every one that has a name of the catalogue, or the name beside one. */
  readonly indexes: readonly ObservedIndex[];
  /** Names of the catalogue, or beside them, that something else than an index has. */
  readonly taken: readonly { readonly schema: string; readonly name: string; readonly kind: string }[];
}

type TableRow = Omit<ObservedTable, 'partitioning'>;

const buildersSql = `
  SELECT l.objid::text AS "tableOid"
    FROM pg_locks l
   WHERE l.locktype = 'advisory' AND l.classid = $1 AND l.objsubid = 2 AND l.granted
     AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

/** Locks of the others in this database, once for a statement: to read them, PostgreSQL stops everybody who takes or gives back a lock. */
export const locksSql = `locks AS MATERIALIZED (
    SELECT * FROM pg_locks l
     WHERE l.pid IS DISTINCT FROM pg_backend_pid() AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  )`;

/**
 * A lock `l` is of somebody who works on a table, and is none of ours.
 *
 * @param builderClass parameter of the statement: first key of the builders' lock
 */
export const isOthersWorkSql = (builderClass: string): string => `l.granted
       AND l.mode IN ('ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
       AND NOT EXISTS (SELECT FROM locks b WHERE b.pid = l.pid AND b.locktype = 'advisory' AND b.classid = ${builderClass})
       AND NOT EXISTS (SELECT FROM pg_stat_progress_vacuum v WHERE v.pid = l.pid)`;

const isWorkedOnSql = (table: string, builderClass: string): string => `EXISTS (SELECT FROM locks l WHERE l.relation = ${table} AND ${isOthersWorkSql(builderClass)})`;

/** Deparsing an index locks its table, if only a little. */
const isLockedSql = (table: string): string => `EXISTS (SELECT FROM locks l WHERE l.relation = ${table} AND l.mode = 'AccessExclusiveLock')`;

const tablesSql = `
  WITH ${locksSql}
  SELECT c.oid::text AS oid, c.relkind AS kind, (SELECT md5(string_agg(concat_ws(' ', a.attnum, a.attname, a.atttypid, a.atttypmod, a.attcollation), ',' ORDER BY a.attnum)) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0) AS columns,
         pg_get_userbyid(c.relowner) AS owner, current_user AS role,
         pg_has_role(c.relowner, 'USAGE') AS "mayBuild", has_schema_privilege(n.oid, 'CREATE') AS "mayCreateInSchema",
         ${isWorkedOnSql('c.oid', '$3')} AS "lockedByOthers",
         ${isLockedSql('c.oid')} AS locked
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS wanted (schema, "table", position)
    LEFT JOIN pg_namespace n ON n.nspname = wanted.schema
    LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = wanted."table" AND c.relkind NOT IN ('i', 'I', 'S', 'c', 't')
   ORDER BY position`;

const indexesSql = `
  WITH ${locksSql}
  SELECT i.indexrelid::text AS oid, n.nspname AS schema, c.relname AS name, i.indrelid::text AS "tableOid", t.relname AS "table",
         i.indisunique AS unique, NOT i.indimmediate AS deferrable, i.indisvalid AS valid,
         CASE WHEN NOT ${isLockedSql('i.indrelid')} THEN pg_get_indexdef(i.indexrelid) END AS definition,
         obj_description(i.indexrelid, 'pg_class') AS comment,
         (SELECT min(k.conname::text) FROM pg_constraint k WHERE k.conindid = i.indexrelid) AS constraint,
         i.indisreplident AS "replicaIdentity", c.relispartition AS attached, c.relpages::float8 * current_setting('block_size')::int AS bytes
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_class t ON t.oid = i.indrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE i.indrelid = ANY ($1::oid[]) OR (n.nspname, c.relname) IN (SELECT * FROM unnest($2::text[], $3::text[]))
   ORDER BY i.indexrelid`;

const takenSql = `
  SELECT n.nspname AS schema, c.relname AS name,
         CASE c.relkind WHEN 'v' THEN 'a view' WHEN 'm' THEN 'a materialized view' WHEN 'S' THEN 'a sequence' WHEN 'c' THEN 'a type' ELSE 'a table' END AS kind
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind NOT IN ('i', 'I') AND (n.nspname, c.relname) IN (SELECT * FROM unnest($1::text[], $2::text[]))`;

/**
 * Looks once, by short statements: a long one would hold concurrent builds back.
 */
export async function observe(session: Client, { indexes, retired }: IndexCatalogue): Promise<Observation> {
  // Builders before indexes: the other order takes a finished build for a dead one.
  const builders = await session.query<{ tableOid: string }>(buildersSql, [builderLockClass]);
  const tables = await session.query<TableRow | { readonly [Key in keyof TableRow]: null }>(tablesSql, [
    indexes.map(({ schema }) => schema),
    indexes.map(({ table }) => table),
    builderLockClass,
  ]);
  const named = [...indexes, ...retired].flatMap(({ schema, name }) => [name, nameBeside(name, 'new'), nameBeside(name, 'old')].map((each) => ({ schema, name: each })));
  const schemas = named.map(({ schema }) => schema);
  const names = named.map(({ name }) => name);
  const oids = [...new Set(tables.rows.flatMap(({ oid }) => (oid === null ? [] : [oid])))];
  const existing = await readIndexes(session, [oids, schemas, names]);
  const locked = new Set(existing.rows.flatMap(({ definition, tableOid }) => (definition === null ? [tableOid] : [])));
  const taken = await session.query<{ schema: string; name: string; kind: string }>(takenSql, [schemas, names]);
  const partitioned = new Map<string, Partitioning>();
  for (const row of tables.rows) if (row.kind === 'p' && !row.locked) partitioned.set(row.oid, await observePartitioning(session, row.oid));
  return {
    database: session.database ?? '',
    busyTables: new Set(builders.rows.map(({ tableOid }) => tableOid)),
    tables: tables.rows.map((row) => (row.oid === null ? undefined : { ...row, locked: row.locked || locked.has(row.oid), partitioning: partitioned.get(row.oid) })),
    indexes: existing.rows.map((row) => ({ ...row, definition: row.definition === null ? '' : canonicalPart(row.definition) })),
    taken: taken.rows,
  };
}

/** `lockedByOthers` of a table, at this very moment. */
export async function isWorkedOnByOthers(session: Client, tableOid: string): Promise<boolean> {
  const { rows } = await session.query<{ worked: boolean }>(`WITH ${locksSql} SELECT ${isWorkedOnSql('$1::oid', '$2')} AS worked`, [tableOid, builderLockClass]);
  return rows[0]!.worked;
}

type IndexRow = Omit<ObservedIndex, 'definition'> & { readonly definition: string | null };

/** PostgreSQL cannot describe an index that is dropped at that very moment, and says so by an internal error. */
async function readIndexes(session: Client, values: readonly unknown[], attempts = 3): Promise<{ readonly rows: readonly IndexRow[] }> {
  try {
    return await session.query<IndexRow>(indexesSql, [...values]);
  } catch (error) {
    if ((error as { code?: string }).code !== 'XX000' || attempts === 1) throw error;
    return readIndexes(session, values, attempts - 1);
  }
}
