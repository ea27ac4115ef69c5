import type { Client } from 'pg';

import { type CataloguedIndex, qualifiedTable } from './index-catalogue';
import { withSuffix } from './index-names';
import { attachSql, createConcurrentlySql, createOnOnlySql } from './index-sql';
import type { AcceptedTrial } from './index-trial';

/** How a table is partitioned, and what is indexed in it. */
export interface Partitioning {
  /** `RANGE (day)`. */
  readonly key: string;
  /** Its columns, as SQL; null for an expression. */
  readonly keyColumns: readonly (string | null)[];
  /** Every partition, those of the first level first. */
  readonly partitions: readonly Partition[];
}

export interface Partition {
  readonly schema: string;
  readonly table: string;
  /** The table that it is a partition of. */
  readonly parentSchema: string;
  readonly parentTable: string;
  /** It has partitions itself. */
  readonly partitioned: boolean;
  /** Oids of the indexes of partitioned tables that one of its own is attached to, whether directly or not. */
  readonly attachedTo: readonly string[];
}

const keySql = `
  SELECT pg_get_partkeydef(p.partrelid) AS key,
         ARRAY(SELECT quote_ident(a.attname) FROM unnest(p.partattrs) WITH ORDINALITY AS k (number, position)
                 LEFT JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = k.number AND k.number > 0 ORDER BY position) AS "keyColumns"
    FROM pg_partitioned_table p WHERE p.partrelid = $1`;

const partitionsSql = `
  SELECT n.nspname AS schema, c.relname AS "table", pn.nspname AS "parentSchema", p.relname AS "parentTable", NOT t.isleaf AS partitioned,
         ARRAY(SELECT a.relid::oid::text FROM pg_index i CROSS JOIN pg_partition_ancestors(i.indexrelid) AS a (relid)
                WHERE i.indrelid = c.oid AND a.relid <> i.indexrelid) AS "attachedTo"
    FROM pg_partition_tree($1::oid::regclass) AS t
    JOIN pg_class c ON c.oid = t.relid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_class p ON p.oid = t.parentrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
   WHERE t.level > 0 ORDER BY t.level, n.nspname, c.relname`;

export async function observePartitioning(session: Client, tableOid: string): Promise<Partitioning> {
  const key = await session.query<Omit<Partitioning, 'partitions'>>(keySql, [tableOid]);
  const partitions = await session.query<Partition>(partitionsSql, [tableOid]);
  return { ...key.rows[0]!, partitions: partitions.rows };
}

/**
 * Why an index on a partitioned table is not built, with the statements that build it by hand: there is no CREATE INDEX
 * CONCURRENTLY on such a table.
 *
 * @param unfinished oid of the index, if it has been made but some partitions still lack theirs
 * @see https://www.postgresql.org/docs/17/ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE-MAINTENANCE
 */
export function partitioningProblem(index: CataloguedIndex, trial: AcceptedTrial, { key, keyColumns, partitions }: Partitioning, unfinished: string | undefined): string {
  const why = `${qualifiedTable(index)} is partitioned by ${key}, and PostgreSQL cannot build an index on it concurrently`;
  const keys = trial.columns.slice(0, trial.keyCount);
  if (index.unique && !keyColumns.every((column) => column !== null && keys.includes(column))) {
    return `${why}; nor can a unique index be built on it at all that does not contain the partition key: add its columns, or index each partition`;
  }
  const missing = partitions.filter(({ attachedTo }) => unfinished === undefined || !attachedTo.includes(unfinished));
  const nameOn = (schema: string, table: string): string => (schema === index.schema && table === index.table ? index.name : withSuffix(table, `_${index.name}`));
  const create = ({ schema, table, partitioned }: Partition): string =>
    (partitioned ? createOnOnlySql : createConcurrentlySql)({ schema, table, name: nameOn(schema, table) }, index.unique, trial.canonical);
  const statements = [
    ...(unfinished === undefined ? [createOnOnlySql(index, index.unique, trial.canonical)] : []),
    ...missing.map(create),
    // The innermost first: each becomes VALID once all of its partitions have theirs.
    ...[...missing].reverse().map(({ schema, table, parentSchema, parentTable }) => attachSql(parentSchema, nameOn(parentSchema, parentTable), { schema, name: nameOn(schema, table) })),
  ];
  return `${why}; run by hand:\n${statements.map((statement) => `${statement};`).join('\n')}`;
}
