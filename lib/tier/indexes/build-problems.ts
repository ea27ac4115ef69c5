import { quoteQualified } from '../database/sql-quoting';
import { type CataloguedIndex, qualifiedName, qualifiedTable } from './index-catalogue';
import { tryAgain } from './index-decision';
import type { AcceptedTrial } from './index-trial';
import type { DatabaseError } from './passing-errors';

/** Why a build failed, and whether another attempt would too. */
export interface BuildProblem {
  readonly problem: string;
  readonly hopeless: boolean;
  /** The server has not said so: it may still be building. */
  readonly outOfSight?: boolean;
}

/**
 * What to say of a build's error. PostgreSQL's detail is left out, and its message too where it may quote values of rows.
 *
 * @see https://www.postgresql.org/docs/17/errcodes-appendix.html
 */
export function buildProblem(index: CataloguedIndex, trial: AcceptedTrial, error: DatabaseError): BuildProblem {
  const { code = '', message, severity } = error;
  const table = qualifiedTable(index);
  if (severity === undefined) return { problem: 'the connection to the build was lost, as in a failover or a restart', hopeless: false, outOfSight: true };
  if (code === '42P01' && message.includes(`"${table}"`)) return { problem: `${table} was dropped or renamed before its build began`, hopeless: false };
  switch (code) {
    case '23505':
      return { problem: `${table} holds duplicates on (${keyOf(trial).join(', ')}), so the unique index cannot be, and is removed; delete them, then ${tryAgain}; find them with: ${duplicatesSql(index, trial)}`, hopeless: true };
    case '40P01':
      return { problem: `other DDL or ANALYZE waited on ${table} and cancelled the build`, hopeless: false };
    case '53100':
      return { problem: `the disk is full; raise storage.sizeGiB, then ${tryAgain}`, hopeless: true };
    case '53200':
      if (message.includes('shared memory')) return { problem: `the server has no room for more locks; raise max_locks_per_transaction, then ${tryAgain}`, hopeless: true };
      return { problem: `the server ran out of memory; lower maintenance_work_mem or choose a larger instance class, then ${tryAgain}`, hopeless: true };
    case '53400':
      return { problem: `its sort outgrew temp_file_limit; raise temp_file_limit or maintenance_work_mem, then ${tryAgain}`, hopeless: true };
    case '42501':
      return { problem: `${message}; the role that builds must have the rights of the owner of ${table}, and functions of the definition run with the rights of that owner alone: grant what is missing, then ${tryAgain}`, hopeless: true };
    case '57P01':
    case '57P02':
    case '57P03':
      return { problem: 'the session of the build was ended, as in a failover or a restart', hopeless: false };
    case '42883':
    case '42P01':
    case '42704':
      return { problem: `${message} (SQLSTATE ${code}); while PostgreSQL builds, a function sees pg_catalog alone: inside of it, name schemas in full, or run ALTER FUNCTION … SET search_path = …; then ${tryAgain}`, hopeless: true };
    case '57014':
      return { problem: `somebody cancelled the build of ${qualifiedName(index)}`, hopeless: false };
  }
  if (mayQuoteRows.test(code)) {
    return { problem: `the index cannot be computed for some row of ${table} (SQLSTATE ${code}); the server's log names the value; correct the rows or the definition, then ${tryAgain}`, hopeless: true };
  }
  return { problem: `${message} (SQLSTATE ${code})`, hopeless: /^(0A|42|54)/.test(code) };
}

/** Data exceptions and violated constraints quote what they found; what a function raises, or another server says, may. */
const mayQuoteRows = /^(22|23|38|39|HV|P0)/;

/** NULLs are no duplicates of each other, unless the definition says so. */
function duplicatesSql({ schema, table }: CataloguedIndex, trial: AcceptedTrial): string {
  const key = keyOf(trial);
  const conditions = [
    ...(trial.predicate === null ? [] : [trial.predicate]),
    ...(/\) NULLS NOT DISTINCT/.test(trial.canonical) ? [] : key.map((column) => `${column} IS NOT NULL`)),
  ];
  const where = conditions.length > 0 ? ` WHERE ${conditions.join(' AND ')}` : '';
  return `SELECT ${key.join(', ')}, count(*) FROM ${quoteQualified(schema, table)}${where} GROUP BY ${key.join(', ')} HAVING count(*) > 1`;
}

function keyOf({ columns, keyCount }: AcceptedTrial): readonly string[] {
  return columns.slice(0, keyCount);
}
