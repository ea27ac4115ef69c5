import { type CataloguedIndex, qualifiedName } from './index-catalogue';
import type { AcceptedTrial } from './index-trial';

/** Why a build failed, and whether another attempt would too. */
export interface BuildProblem {
  readonly problem: string;
  readonly hopeless: boolean;
}

/**
 * What to say of a build's error. PostgreSQL's detail is left out: it quotes values of rows.
 *
 * @see https://www.postgresql.org/docs/17/errcodes-appendix.html
 */
export function buildProblem(index: CataloguedIndex, trial: AcceptedTrial, error: Error & { code?: string }): BuildProblem {
  const table = `${index.schema}.${index.table}`;
  switch (error.code) {
    case '23505':
      return { problem: `${table} holds duplicates, so the unique index cannot be, and was removed; remove them, then deploy again${duplicatesQuery(index, trial)}`, hopeless: true };
    case '40P01':
      return { problem: `other DDL or ANALYZE waited on ${table} and cancelled the build`, hopeless: false };
    case '53100':
      return { problem: 'the disk is full; raise storage.sizeGiB, then deploy again', hopeless: true };
    case '53200':
      return { problem: 'the server ran out of memory; lower maintenance_work_mem or choose a larger instance class, then deploy again', hopeless: true };
    case '42501':
      return { problem: `${error.message}; the role that builds must have the rights of the owner of ${table}`, hopeless: true };
    case '25001':
      return { problem: 'the session is inside a transaction, as behind a pooler; use the endpoint of the instance itself', hopeless: true };
    case '57P01':
    case '57P02':
    case '57P03':
    case undefined:
      return { problem: 'the session of the build was ended, as in a failover or a restart', hopeless: false };
    case '57014':
      return { problem: `somebody cancelled the build of ${qualifiedName(index)}`, hopeless: false };
    default:
      return { problem: `${error.message} (SQLSTATE ${error.code})`, hopeless: false };
  }
}

/** Only where plain columns say it: what an expression compares, its author knows best. */
function duplicatesQuery({ schema, table }: CataloguedIndex, trial: AcceptedTrial): string {
  if (trial.columns.length !== trial.columnCount || trial.columns.length === 0) return '';
  const columns = trial.columns.join(', ');
  return `; find them with: SELECT ${columns}, count(*) FROM ${schema}.${table} GROUP BY ${columns} HAVING count(*) > 1`;
}
