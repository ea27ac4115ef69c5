import { quoteIdentifier, quoteLiteral } from '../database/sql-quoting';

/** An index name and its table, as stored in the catalog. */
export interface IndexPlace {
  readonly name: string;
  readonly schema: string;
  readonly table: string;
}

/** An empty table with the columns of the real one, on which a definition can be tried. */
export function createShadowSql({ schema, table }: IndexPlace): string {
  return `CREATE TEMP TABLE index_shadow (LIKE ${quoteIdentifier(schema)}.${quoteIdentifier(table)}) ON COMMIT DROP`;
}

/** Tries a definition on the shadow table: PostgreSQL judges every column, type, operator class and function. */
export function createOnShadowSql(unique: boolean, definition: string): string {
  return `${createIndex(unique)} index_shadow_trial ON pg_temp.index_shadow ${definition}`;
}

/** What PostgreSQL made of the trial; expressions have no name. */
export const shadowDefinitionSql = `
  SELECT pg_get_indexdef(indexrelid) AS definition,
         indexprs IS NOT NULL OR indpred IS NOT NULL AS "holdsOthersBack",
         ARRAY(SELECT a.attname::text FROM unnest(indkey) AS k (number) JOIN pg_attribute a ON a.attrelid = indrelid AND a.attnum = k.number) AS columns,
         indnatts AS "columnCount"
    FROM pg_index WHERE indexrelid = 'pg_temp.index_shadow_trial'::regclass`;

/** The part that says what is indexed and how: `USING method (…) …`, in PostgreSQL's own canonical text. */
export function canonicalPart(indexDefinition: string): string {
  // Identifiers before it are quoted by PostgreSQL, so a USING of their own stands in double quotes.
  const match = /^CREATE (?:UNIQUE )?INDEX (?:"(?:[^"]|"")*"|[^" ]+) ON (?:ONLY )?(?:(?:"(?:[^"]|"")*"|[^".\s]+)\.)?(?:"(?:[^"]|"")*"|[^"\s]+) (USING .*)$/s.exec(indexDefinition);
  if (!match) throw new Error(`PostgreSQL described an index in a way that is not understood: ${indexDefinition}`);
  return match[1]!;
}

/** @param canonical text of {@link canonicalPart}: what is built is what PostgreSQL itself wrote */
export function createConcurrentlySql({ name, schema, table }: IndexPlace, unique: boolean, canonical: string): string {
  return `${createIndex(unique)} CONCURRENTLY ${quoteIdentifier(name)} ON ${quoteIdentifier(schema)}.${quoteIdentifier(table)} ${canonical}`;
}

export function dropConcurrentlySql({ name, schema }: Pick<IndexPlace, 'name' | 'schema'>): string {
  return `DROP INDEX CONCURRENTLY ${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}

export function renameSql(schema: string, from: string, to: string): string {
  return `ALTER INDEX ${quoteIdentifier(schema)}.${quoteIdentifier(from)} RENAME TO ${quoteIdentifier(to)}`;
}

export function commentSql(schema: string, name: string, comment: string): string {
  return `COMMENT ON INDEX ${quoteIdentifier(schema)}.${quoteIdentifier(name)} IS ${quoteLiteral(comment)}`;
}

function createIndex(unique: boolean): string {
  return `CREATE ${unique ? 'UNIQUE ' : ''}INDEX`;
}
