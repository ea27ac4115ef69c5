import type { Client, QueryConfig } from 'pg';

import type { CataloguedIndex } from './index-catalogue';
import { canonicalPart, createOnShadowSql, createShadowSql, shadowDefinitionSql } from './index-sql';

/** How PostgreSQL judged a definition on an empty copy of its table. */
export type Trial =
  | {
      /** PostgreSQL's own text: `USING …`. */
      readonly canonical: string;
      /** A build with expressions or a predicate keeps other concurrent builds waiting. */
      readonly holdsOthersBack: boolean;
      /** Plain columns of it, by name. */
      readonly columns: readonly string[];
      /** Columns and expressions of it. */
      readonly columnCount: number;
    }
  | { readonly problem: string }
  /** DDL holds or waits for the table, so it could not be looked at. */
  | { readonly busy: true };

/** A definition that PostgreSQL takes. */
export type AcceptedTrial = Extract<Trial, { readonly canonical: string }>;

export function isAccepted(trial: Trial | undefined): trial is AcceptedTrial {
  return trial !== undefined && 'canonical' in trial;
}

/** Tries a definition in a transaction that is rolled back; builds nothing, and takes no lock that keeps anybody waiting. */
export async function tryDefinition(session: Client, index: CataloguedIndex): Promise<Trial> {
  await session.query('BEGIN');
  try {
    // The definition may name types, functions and operator classes of the table's own schema.
    await session.query("SELECT set_config('search_path', quote_ident($1) || ', public, pg_temp', true)", [index.schema]);
    await session.query(createShadowSql(index));
    // The extended protocol takes one statement only: a second one after a semicolon is refused, not run.
    await session.query({ text: createOnShadowSql(index.unique, index.definition), queryMode: 'extended' } as QueryConfig);
    await session.query("SELECT set_config('search_path', '', true)");
    const { rows } = await session.query<{ definition: string; holdsOthersBack: boolean; columns: string[]; columnCount: number }>(shadowDefinitionSql);
    const { definition, ...facts } = rows[0]!;
    return { canonical: canonicalPart(definition), ...facts };
  } catch (error) {
    if ((error as { code?: string }).code === '55P03') return { busy: true };
    return { problem: definitionProblem(index, error as Error & { code?: string }) };
  } finally {
    await session.query('ROLLBACK');
  }
}

/** https://www.postgresql.org/docs/17/errcodes-appendix.html */
function definitionProblem(index: CataloguedIndex, error: Error & { code?: string }): string {
  const table = `${index.schema}.${index.table}`;
  switch (error.code) {
    case '42703':
      return `${error.message.replace(/ of relation .*$/, '')} on ${table}; correct the name, or deploy the migration that adds it first`;
    case '42704':
      return `${error.message}; install the extension or correct the name`;
    case '42883':
      return `${error.message}; correct the name, or deploy the migration that makes it first`;
    case '42P17':
      return `${error.message}; use a function that always gives the same for the same input, or mark yours IMMUTABLE if it does`;
    case '42601':
      return `its definition is not what PostgreSQL takes after the table's name: ${error.message}`;
    case '42501':
      return `the role that builds lacks a right: ${error.message}`;
    default:
      return `${error.message} (SQLSTATE ${error.code ?? 'unknown'})`;
  }
}
