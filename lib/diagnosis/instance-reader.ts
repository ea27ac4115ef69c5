import type { Client } from 'pg';

import type { Limits, Problem, Row, SectionName } from './diagnosis';
import { maskLiterals } from './mask-literals';
import type { ServerFacts } from './sections/instance-section';
import { instanceSections } from './sections/instance-sections';
import { own } from './sections/own-statements';
import { statementSections } from './sections/statements';

/** The oldest on which every section is known to work. */
const oldestVersion = 130_000;

/** What was read of one section of one source. */
export interface Collected {
  readonly source: string;
  readonly section: SectionName;
  readonly rows: readonly Row[];
  /** Of instances: whether it is one. */
  readonly standby?: boolean;
}

export interface ReaderOptions {
  readonly limits: Limits;
  readonly wanted: ReadonlySet<SectionName>;
  /** Told of each section as soon as it is read: a server that stops answering keeps what it has said. */
  readonly onRows: (read: Omit<Collected, 'source'>) => void;
  /** Told of a section that cannot be read; the others are. */
  readonly onProblem: (problem: Omit<Problem, 'source'>) => void;
}

/** Reads one instance, section by section. */
export async function readInstance(session: Client, { limits, wanted, onRows, onProblem }: ReaderOptions): Promise<void> {
  const server = await factsOf(session, wanted, onProblem);
  for (const { name, on, sql } of instanceSections) {
    if (!wanted.has(name) || (on === 'primary' && server.standby)) continue;
    const text = sql(server, limits);
    if (text === undefined) continue;
    try {
      onRows({ section: name, rows: (await readOnly(session, text)).map(withoutValues), standby: server.standby });
    } catch (error) {
      // A server that has gone away would fail every section alike.
      if ((error as { code?: string }).code === undefined) throw error;
      onProblem({ section: name, problem: (error as Error).message });
    }
  }
}

interface FactsRow {
  readonly version: number;
  readonly versionText: string;
  readonly standby: boolean;
  readonly database: string;
  readonly user: string;
  readonly seesAll: boolean;
  /** Of the server's process, as it says itself. */
  readonly pid: number;
  readonly preloaded: string | null;
  readonly statementsSchema: string | null;
  readonly execTime: boolean;
}

async function factsOf(session: Client, wanted: ReadonlySet<SectionName>, onProblem: ReaderOptions['onProblem']): Promise<ServerFacts> {
  const [row] = (await readOnly(
    session,
    `${own}SELECT current_setting('server_version_num')::int AS version, current_setting('server_version') AS "versionText", pg_is_in_recovery() AS standby,
            current_database()::text AS database, current_user::text AS user, pg_has_role(current_user, 'pg_read_all_stats', 'usage') AS "seesAll",
            pg_backend_pid() AS pid, (SELECT setting FROM pg_settings WHERE name = 'shared_preload_libraries') AS preloaded, statements.*
       FROM (SELECT min(quote_ident(nspname)) AS "statementsSchema", coalesce(bool_or(attname = 'mean_exec_time'), false) AS "execTime"
               FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
               JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = 'pg_stat_statements' JOIN pg_attribute ON attrelid = c.oid
              WHERE extname = 'pg_stat_statements') AS statements`,
  )) as unknown as readonly [FactsRow];
  const { version, versionText, standby, database, user, seesAll, pid, preloaded, statementsSchema: schema, execTime } = row;
  if (version < oldestVersion) onProblem({ section: 'instances', problem: oldServerProblem(versionText) });
  if (isPooled(session, pid)) onProblem({ section: 'pools', problem: 'it is reached through a pooler: which clients wait there, its admin console tells, database pgbouncer at the same address' });
  if (!seesAll) onProblem({ section: 'connections', problem: `role ${user} may not see what other roles do: GRANT pg_monitor TO ${user}` });
  if (schema === null && statementSections.some(({ name }) => wanted.has(name))) {
    const load = preloaded?.includes('pg_stat_statements') ? '' : 'add it to shared_preload_libraries, restart, then ';
    onProblem({ section: 'slow-queries', problem: `pg_stat_statements is not installed in database ${database}: ${load}CREATE EXTENSION pg_stat_statements` });
  }
  return { version, standby, statements: schema === null ? undefined : { schema, execTime } };
}

/** A pooler makes up the process id that its clients cancel with. */
function isPooled(session: Client, pid: number): boolean {
  const { processID } = session as Client & { readonly processID?: number | null };
  return typeof processID === 'number' && processID !== pid;
}

/** What is said of a server that is older than what the report knows. */
export function oldServerProblem(version: string): string {
  return `runs PostgreSQL ${version}; this report is made for ${oldestVersion / 10_000} and later, so parts of it may be missing`;
}

/** In a transaction of its own, with limits of its own: behind a pooler, nothing of it stays on the server connection. */
async function readOnly(session: Client, sql: string): Promise<readonly Row[]> {
  await session.query(`${own}BEGIN READ ONLY;${own}SET LOCAL statement_timeout = '10s';${own}SET LOCAL lock_timeout = '1s'`);
  try {
    return (await session.query<Row>(sql)).rows;
  } finally {
    await session.query(`${own}ROLLBACK`);
  }
}

function withoutValues(row: Row): Row {
  const texts = Object.entries(row).filter(([key, value]) => /query$/i.test(key) && typeof value === 'string');
  return { ...row, ...Object.fromEntries(texts.map(([key, text]) => [key, maskLiterals(text as string)])) };
}
