import { instance, type InstanceSection, query, type StatementStatistics, user } from './instance-section';
import { ownWords } from './own-statements';

/** https://www.postgresql.org/docs/17/pgstatstatements.html */
const statementColumns = [
  instance,
  { key: 'meanMs', title: 'mean', format: 'milliseconds' },
  { key: 'maxMs', title: 'worst', format: 'milliseconds' },
  { key: 'calls', title: 'calls', format: 'count' },
  { key: 'sharePercent', title: 'of all time', format: 'percent' },
  { key: 'rowsPerCall', title: 'rows/call', format: 'count' },
  user,
  query,
] as const;

function statementsSql({ schema, execTime }: StatementStatistics, over: string): string {
  const time = execTime ? 'exec_time' : 'time';
  return `
    SELECT "meanMs", max_${time} AS "maxMs", calls::float8, share AS "sharePercent",
           rows::float8 / nullif(calls, 0) AS "rowsPerCall", rolname AS "user", left(query, 2000) AS query
      FROM (SELECT *, mean_${time} AS "meanMs", 100 * total_${time} / nullif(sum(total_${time}) OVER (), 0) AS share
              FROM ${schema}.pg_stat_statements
             WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND query NOT LIKE '%${ownWords}%') AS statements
      LEFT JOIN pg_roles ON pg_roles.oid = userid
     ${over}`;
}

/** Of pg_stat_statements: they are left out where it is missing. */
export const statementSections: readonly InstanceSection[] = [
  {
    name: 'slow-queries',
    title: 'Slow statements',
    about: 'Statements of this database that take over {slowQueryMs} on average, since the statistics were reset.',
    columns: statementColumns,
    sql: ({ statements }, { slowQueryMs }) => statements && statementsSql(statements, `WHERE "meanMs" > ${slowQueryMs} ORDER BY "meanMs" DESC LIMIT 20`),
  },
  {
    name: 'most-time',
    title: 'Where the time goes',
    about: 'The five statements of this database that took most time in all.',
    columns: statementColumns,
    sql: ({ statements }) => statements && statementsSql(statements, 'ORDER BY share DESC NULLS LAST LIMIT 5'),
  },
];
