import type { Client, QueryConfig, QueryResult } from 'pg';

import { quoteIdentifier, quoteLiteral, quoteQualified } from '../database/sql-quoting';

/** An index name and its table, as stored in the catalog. */
export interface IndexPlace {
  readonly name: string;
  readonly schema: string;
  readonly table: string;
}

/** By the extended protocol, which takes one statement only: a second one after a semicolon is refused, not run. */
export function runStatement(session: Client, text: string): Promise<QueryResult> {
  return session.query({ text, queryMode: 'extended' } as QueryConfig);
}

/** The part that says what is indexed and how: `USING method (…) …`, in PostgreSQL's own canonical text. */
export function canonicalPart(indexDefinition: string): string {
  // Identifiers before it are quoted by PostgreSQL, so a USING of their own stands in double quotes.
  const match = /^CREATE (?:UNIQUE )?INDEX (?:"(?:[^"]|"")*"|[^" ]+) ON (?:ONLY )?(?:(?:"(?:[^"]|"")*"|[^".\s]+)\.)?(?:"(?:[^"]|"")*"|[^"\s]+) (USING .*)$/s.exec(indexDefinition);
  if (!match) throw new Error(`PostgreSQL described an index in a way that is not understood: ${indexDefinition}`);
  return match[1]!;
}

/** @param canonical text of {@link canonicalPart}: what is built is what PostgreSQL itself wrote */
export function createConcurrentlySql({ name, schema, table }: IndexPlace, unique: boolean, canonical: string): string {
  return `${createIndex(unique)} CONCURRENTLY ${quoteIdentifier(name)} ON ${quoteQualified(schema, table)} ${canonical}`;
}

/** On a partitioned table alone: INVALID until an index of each partition has been attached. */
export function createOnOnlySql({ name, schema, table }: IndexPlace, unique: boolean, canonical: string): string {
  return `${createIndex(unique)} ${quoteIdentifier(name)} ON ONLY ${quoteQualified(schema, table)} ${canonical}`;
}

export function attachSql(schema: string, name: string, partition: Pick<IndexPlace, 'name' | 'schema'>): string {
  return `ALTER INDEX ${quoteQualified(schema, name)} ATTACH PARTITION ${quoteQualified(partition.schema, partition.name)}`;
}

export function dropConcurrentlySql({ name, schema }: Pick<IndexPlace, 'name' | 'schema'>): string {
  return `DROP INDEX CONCURRENTLY ${quoteQualified(schema, name)}`;
}

export function renameSql(schema: string, from: string, to: string): string {
  return `ALTER INDEX ${quoteQualified(schema, from)} RENAME TO ${quoteIdentifier(to)}`;
}

export function commentSql(schema: string, name: string, comment: string): string {
  return `COMMENT ON INDEX ${quoteQualified(schema, name)} IS ${quoteLiteral(comment)}`;
}

export function createIndex(unique: boolean): string {
  return `CREATE ${unique ? 'UNIQUE ' : ''}INDEX`;
}
