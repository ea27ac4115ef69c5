import type { Client } from 'pg';

import { quoteIdentifier, quoteQualified } from '../database/sql-quoting';
import { type CataloguedIndex, qualifiedTable } from './index-catalogue';
import { canonicalPart, createIndex, runStatement } from './index-sql';
import { type DatabaseError, isPassing } from './passing-errors';

/** How PostgreSQL judged a definition on an empty copy of its table. */
export type Trial =
  | {
      /** PostgreSQL's own text: `USING …`. */
      readonly canonical: string;
      /** A build with expressions or a predicate keeps other concurrent builds waiting. */
      readonly holdsOthersBack: boolean;
      /** Columns and expressions as SQL, those of the key first. */
      readonly columns: readonly string[];
      /** How many of them are the key; the others are only included. */
      readonly keyCount: number;
      /** Condition of a partial index, as SQL. */
      readonly predicate: string | null;
    }
  /** `lacksRight`: of the role that tried it. */
  | { readonly problem: string; readonly lacksRight: boolean }
  /** DDL holds the table, waits for it, or has just dropped it, so it could not be looked at. */
  | { readonly busy: true };

/** A definition that PostgreSQL takes. */
export type AcceptedTrial = Extract<Trial, { readonly canonical: string }>;

export function isAccepted(trial: Trial | undefined): trial is AcceptedTrial {
  return trial !== undefined && 'canonical' in trial;
}

/** What PostgreSQL made of the trial. */
const verdictSql = `
  SELECT pg_get_indexdef(i.indexrelid) AS definition, i.indexprs IS NOT NULL OR i.indpred IS NOT NULL AS "holdsOthersBack",
         ARRAY(SELECT pg_get_indexdef(i.indexrelid, n, false) FROM generate_series(1, i.indnatts) AS n) AS columns, i.indnkeyatts AS "keyCount",
         pg_get_expr(i.indpred, i.indrelid) AS predicate, c.reltablespace <> 0 AS "namesTablespace"
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
   WHERE i.indrelid = to_regclass($1)`;

/** Tries a definition in a transaction that is rolled back; builds nothing, and takes no lock that keeps anybody waiting. */
export async function tryDefinition(session: Client, index: CataloguedIndex): Promise<Trial> {
  // It has the real one's name, by which a definition may call its columns.
  const shadow = quoteQualified('pg_temp', index.table);
  let copied = false;
  await session.query('BEGIN');
  try {
    // The definition may name types, functions and operator classes of the table's own schema.
    await session.query("SELECT set_config('search_path', $1, true), set_config('temp_tablespaces', '', true)", [`${quoteIdentifier(index.schema)}, public, pg_temp`]);
    await runStatement(session, `CREATE TEMP TABLE ${quoteIdentifier(index.table)} (LIKE ${quoteQualified(index.schema, index.table)}) ON COMMIT DROP`);
    copied = true;
    await runStatement(session, `${createIndex(index.unique)} ON ${shadow} ${index.definition}`);
    await session.query("SELECT set_config('search_path', '', true)");
    const { rows } = await session.query<Omit<AcceptedTrial, 'canonical'> & { definition: string; namesTablespace: boolean }>(verdictSql, [shadow]);
    const { definition, namesTablespace, ...facts } = rows[0]!;
    if (namesTablespace) return refused('its definition names a TABLESPACE, which RDS does not have; remove it');
    return { canonical: canonicalPart(definition), ...facts };
  } catch (error) {
    const { code } = error as DatabaseError;
    if (code === '55P03' || (code === '42P01' && !copied)) return { busy: true };
    // Says nothing about the definition.
    if (isPassing(error as DatabaseError)) throw error;
    return { problem: definitionProblem(index, error as DatabaseError), lacksRight: code === '42501' };
  } finally {
    await session.query('ROLLBACK');
  }
}

function refused(problem: string): Trial {
  return { problem, lacksRight: false };
}

/** https://www.postgresql.org/docs/17/errcodes-appendix.html */
function definitionProblem(index: CataloguedIndex, { code, message }: DatabaseError): string {
  switch (code) {
    case '42703':
      return `${message} on ${qualifiedTable(index)}; correct the name, or deploy the migration that adds it first`;
    case '42704':
      return `${message}; install the extension or correct the name`;
    case '42883':
      return `${message}; correct the name, or deploy the migration that makes it first`;
    case '42P17':
      return `${message}; use a function that always gives the same for the same input, or mark yours IMMUTABLE if it does`;
    case '42601':
      return `its definition is not what PostgreSQL takes after the table's name: ${message}`;
    case '42501':
      return `the role that builds lacks a right: ${message}; grant it`;
    default:
      return `${message} (SQLSTATE ${code ?? 'unknown'})`;
  }
}
