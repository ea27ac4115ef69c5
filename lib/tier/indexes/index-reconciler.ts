import type { Client, QueryConfig } from 'pg';

import type { CataloguedIndex } from './index-catalogue';
import { type Decision, decide, type ObservedIndex } from './index-decision';
import {
  blockersSql,
  builderLockClass,
  builderSettings,
  buildersSql,
  canonicalPart,
  createConcurrentlySql,
  createOnShadowSql,
  createShadowSql,
  dropConcurrentlySql,
  observeSql,
  shadowDefinitionSql,
} from './index-sql';
import type { IndexSummary } from './indexes.contract';

export interface ReconcilerOptions {
  /** Opens a session on the primary, as the role that owns the tables. */
  readonly connect: () => Promise<Client>;
  readonly indexes: readonly CataloguedIndex[];
  /** One structured line for each thing that happens. */
  readonly log: (event: Readonly<Record<string, unknown>>) => void;
  /** Tables that are built on at the same time; each takes one index at a time. @default 2 */
  readonly tablesAtOnce?: number;
}

interface JudgedIndex {
  readonly index: CataloguedIndex;
  readonly observed: ObservedIndex;
  readonly decision: Decision;
  readonly canonical: string | undefined;
  readonly builderLives: boolean;
}

interface Trial {
  /** PostgreSQL's own text of the definition. */
  readonly canonical?: string;
  readonly problem?: string;
}

/** How long a start waits for an early refusal, such as duplicates in a small table. */
const earlyRefusalMs = 1000;
const lookAgainMs = 500;

/**
 * Brings the indexes of a database to the catalogue, one step at a look. A build belongs to the server: whoever started
 * it may die, and whoever looks next finds it by the lock that its session holds.
 */
export class IndexReconciler {
  private readonly refused = new Map<string, string>();
  /** A definition is tried once: the shadow tables of every look would bloat the catalog. */
  private readonly trials = new Map<CataloguedIndex, Trial>();

  constructor(private readonly options: ReconcilerOptions) {}

  /**
   * Judges every definition on an empty shadow of its table; builds nothing.
   *
   * @returns every problem, by index; a missing table is none
   */
  async validate(): Promise<readonly string[]> {
    return this.withSession(async (session) => {
      await this.refuseWrongServer(session);
      const judged = await this.look(session);
      return judged.flatMap(({ index, decision }) => (decision.kind === 'failed' ? [`${index.name}: ${decision.problem}`] : []));
    });
  }

  /** Looks once and starts what may start now. */
  async tick(): Promise<IndexSummary> {
    return this.withSession(async (session) => {
      await this.refuseWrongServer(session);
      const judged = await this.look(session);
      const busyTables = new Set(judged.filter(({ builderLives }) => builderLives).map(({ observed }) => observed.tableOid));
      for (const candidate of judged) {
        const { decision, observed } = candidate;
        if (decision.kind !== 'start' && decision.kind !== 'repair') continue;
        if (busyTables.size >= (this.options.tablesAtOnce ?? 2) || busyTables.has(observed.tableOid)) continue;
        busyTables.add(observed.tableOid);
        await this.build(candidate);
      }
      const summary = summarize(await this.look(session), this.refused);
      if (summary.building.length > 0) await this.reportBlockers(session);
      return summary;
    });
  }

  /** Ticks until nothing is left to build or the time is over; what builds then goes on without it. */
  async run(deadline: Date): Promise<IndexSummary> {
    for (;;) {
      const summary = await this.tick();
      const unfinished = summary.building.length + summary.waiting.length > 0;
      if (!unfinished || Date.now() + lookAgainMs > deadline.getTime()) return summary;
      await new Promise((resolve) => setTimeout(resolve, lookAgainMs));
    }
  }

  private async look(session: Client): Promise<readonly JudgedIndex[]> {
    const { indexes } = this.options;
    const builders = await session.query<{ tableOid: string }>(buildersSql, [builderLockClass]);
    const alive = new Set(builders.rows.map(({ tableOid }) => tableOid));
    const { rows } = await session.query<ObservedIndex>(observeSql, [
      indexes.map(({ name }) => name),
      indexes.map(({ schema }) => schema),
      indexes.map(({ table }) => table),
    ]);
    const judged: JudgedIndex[] = [];
    for (const [position, index] of indexes.entries()) {
      const observed = rows[position]!;
      const trial = observed.tableOid === null ? {} : await this.trialOf(session, index);
      const builderLives = alive.has(observed.tableOid ?? '');
      const decision: Decision = trial.problem ? { kind: 'failed', problem: trial.problem } : decide(index, observed, trial.canonical, builderLives);
      judged.push({ index, observed, canonical: trial.canonical, decision, builderLives });
    }
    return judged;
  }

  private async trialOf(session: Client, index: CataloguedIndex): Promise<Trial> {
    const known = this.trials.get(index);
    if (known) return known;
    const trial = await tryDefinition(session, index);
    this.trials.set(index, trial);
    return trial;
  }

  /** Starts a build in a session of its own, and leaves it to the server. */
  private async build({ index, observed, canonical, decision }: JudgedIndex): Promise<void> {
    const { log } = this.options;
    const session = await this.options.connect();
    try {
      for (const setting of builderSettings) await session.query(setting);
      const { rows } = await session.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1, $2::int) AS locked', [builderLockClass, observed.tableOid]);
      if (!rows[0]!.locked) return; // somebody else was quicker
      if (decision.kind === 'repair') {
        log({ event: 'dropping what a dead build left', index: index.name, table: index.table });
        await session.query(dropConcurrentlySql(index));
      }
      log({ event: 'build started', index: index.name, table: index.table });
      const built = session.query(createConcurrentlySql(index, index.unique, canonical!)).then(
        () => log({ event: 'build finished', index: index.name, table: index.table }),
        (error: Error) => {
          this.refused.set(index.name, buildProblem(index, error));
          log({ event: 'build failed', index: index.name, table: index.table, problem: buildProblem(index, error) });
        },
      );
      void built.then(() => session.end());
      await Promise.race([built, new Promise((resolve) => setTimeout(resolve, earlyRefusalMs).unref())]);
    } catch (error) {
      await session.end();
      throw error;
    }
  }

  private async reportBlockers(session: Client): Promise<void> {
    const { rows } = await session.query(blockersSql, [builderLockClass]);
    for (const blocker of rows) this.options.log({ event: 'build waits', blocker });
  }

  private async refuseWrongServer(session: Client): Promise<void> {
    const { rows } = await session.query<{ standby: boolean }>('SELECT pg_is_in_recovery() AS standby');
    if (rows[0]!.standby) throw new Error('the endpoint is a replica; indexes are built on the primary, and replicas follow');
  }

  private async withSession<Result>(use: (session: Client) => Promise<Result>): Promise<Result> {
    const session = await this.options.connect();
    try {
      await session.query("SET search_path = ''");
      return await use(session);
    } finally {
      await session.end();
    }
  }
}

/** PostgreSQL's own text of a definition, or what is wrong with it; tried on an empty table and rolled back. */
async function tryDefinition(session: Client, index: CataloguedIndex): Promise<Trial> {
  await session.query('BEGIN');
  try {
    // The definition may name types, functions and operator classes of the table's own schema.
    await session.query("SELECT set_config('search_path', quote_ident($1) || ', public, pg_temp', true)", [index.schema]);
    await session.query(createShadowSql(index));
    // The extended protocol takes one statement only: a second one after a semicolon is refused, not run.
    await session.query({ text: createOnShadowSql(index.unique, index.definition), queryMode: 'extended' } as QueryConfig);
    await session.query("SELECT set_config('search_path', '', true)");
    const { rows } = await session.query<{ definition: string }>(shadowDefinitionSql);
    return { canonical: canonicalPart(rows[0]!.definition) };
  } catch (error) {
    return { problem: definitionProblem(index, error as Error & { code?: string }) };
  } finally {
    await session.query('ROLLBACK');
  }
}

function definitionProblem(index: CataloguedIndex, error: Error & { code?: string }): string {
  const table = `${index.schema}.${index.table}`;
  switch (error.code) {
    case '42703':
      return `${error.message.replace(/ of relation .*$/, '')} on ${table}; correct the name, or deploy the migration that adds it first`;
    case '42704':
      return `${error.message}; install the extension or correct the name`;
    case '42601':
      return `its definition is not what PostgreSQL takes after the table's name: ${error.message}`;
    default:
      return `${error.message} (SQLSTATE ${error.code ?? 'unknown'})`;
  }
}

/** Without the detail, which would quote values of rows. */
function buildProblem(index: CataloguedIndex, error: Error & { code?: string }): string {
  if (error.code === '23505') return `${index.schema}.${index.table} holds duplicates, so the unique index cannot be; remove them, then deploy again`;
  if (error.code === '40P01') return 'other DDL or ANALYZE waited on the table and cancelled the build; it is tried again';
  return `${error.message} (SQLSTATE ${error.code ?? 'unknown'})`;
}

function summarize(judged: readonly JudgedIndex[], refused: ReadonlyMap<string, string>): IndexSummary {
  const of = (...kinds: readonly Decision['kind'][]): readonly JudgedIndex[] => judged.filter(({ decision }) => kinds.includes(decision.kind));
  const names = (found: readonly JudgedIndex[]): readonly string[] => found.map(({ index }) => index.name);
  return {
    valid: names(of('valid')),
    building: names(of('building')),
    waiting: names(of('start', 'repair', 'waiting')).filter((name) => !refused.has(name)),
    deferred: of('deferred').map(({ index }) => `${index.name}: ${index.schema}.${index.table}`),
    failed: [
      ...of('failed').map(({ index, decision }) => `${index.name}: ${decision.kind === 'failed' ? decision.problem : ''}`),
      ...names(of('start', 'repair')).flatMap((name) => (refused.has(name) ? [`${name}: ${refused.get(name)}`] : [])),
    ],
  };
}
