import { quoteIdentifier } from '../database/sql-quoting';
import type { Statement } from '../roles/bootstrap-sql';

const schema = 'smoke_check';

/** The one table that the smoke check writes, in a schema that nobody else uses. It has one row at most. */
export const smokeTable = `${schema}.written`;

/** Makes the table, as whoever may; run again, they change nothing. The check may write and read it, and no more. */
export function smokeTableStatements(writer: string): readonly Statement[] {
  return [
    { what: `create schema "${schema}"`, sql: `CREATE SCHEMA IF NOT EXISTS ${schema}` },
    {
      what: `create table ${smokeTable}`,
      sql: `CREATE TABLE IF NOT EXISTS ${smokeTable} (only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row), written_at timestamptz NOT NULL)`,
    },
    { what: `grant USAGE on schema "${schema}" to "${writer}"`, sql: `GRANT USAGE ON SCHEMA ${schema} TO ${quoteIdentifier(writer)}` },
    { what: `grant INSERT, SELECT, UPDATE on ${smokeTable} to "${writer}"`, sql: `GRANT INSERT, SELECT, UPDATE ON ${smokeTable} TO ${quoteIdentifier(writer)}` },
  ];
}
