import type { Client } from 'pg';

import { recordProblem, recordStart, type RecordedBuild } from './build-history';
import { type BuildProblem, buildProblem } from './build-problems';
import { type CataloguedIndex, shownName, shownTable } from './index-catalogue';
import { type Decision, mostAttempts } from './index-decision';
import { isWorkedOnByOthers, type ObservedIndex } from './index-observation';
import { builtHereComment, commentFor, isOurs, replacedComment } from './index-ownership';
import { allowWorkers, becomeBuilder, tryLockTable } from './index-session';
import { commentSql, createConcurrentlySql, dropConcurrentlySql, renameSql, runStatement } from './index-sql';
import type { AcceptedTrial } from './index-trial';
import type { DatabaseError } from './passing-errors';
import { endsWithin } from './time-limit';

export interface BuilderOptions {
  /** Opens a prepared session on the primary, as a role that has the rights of the tables' owner. */
  readonly connect: () => Promise<Client>;
  /** False once another catalogue has been accepted: then nothing is done for this one any more. */
  readonly isAccepted: (session: Client) => Promise<boolean>;
  /** One structured line for each thing that happens. */
  readonly log: (event: Readonly<Record<string, unknown>>) => void;
}

/** A swap takes milliseconds; one that must wait is tried again at the next look. */
const swapLockTimeout = '2s';
/** A function that is frozen in the middle of it must not keep its locks. */
const swapIdleTimeout = '5s';

/**
 * Does what was decided about an index, in a session of its own that holds the table's lock. What takes long is left to
 * the server: it goes on when its client is gone.
 */
export class IndexBuilder {
  private readonly underWay = new Set<Promise<void>>();

  constructor(private readonly options: BuilderOptions) {}

  /** Works that were started here have not all ended. */
  get isBusy(): boolean {
    return this.underWay.size > 0;
  }

  /** Waits until one of the works that were started here has ended, but no longer than told. */
  async anyEnd(longestMs: number): Promise<void> {
    await endsWithin(longestMs, Promise.race(this.underWay));
  }

  /** Waits until all of them have ended, but no longer than told. */
  async allEnd(longestMs: number): Promise<void> {
    await endsWithin(longestMs, Promise.all(this.underWay));
  }

  /** Drops what a dead build left, and builds. @param workers parallel workers that help, if the server has them to spare */
  async build(recorded: RecordedBuild, tableOid: string, trial: AcceptedTrial, { as, remains }: Extract<Decision, { kind: 'build' }>, workers: number): Promise<void> {
    const { index } = recorded;
    await this.detached(shownName(index), tableOid, async (session) => {
      if (remains && !(await this.makeRoom(session, remains, remains.valid ? 'a change that was given up left it' : 'its build vanished, as in a failover, or failed'))) return;
      // Somebody else was quicker, or would be cancelled by a build that queues behind.
      if ((await exists(session, index.schema, as)) || (await isWorkedOnByOthers(session, tableOid))) return;
      const attempt = await recordStart(session, recorded);
      this.options.log({ event: 'build started', index: shownName(index), table: shownTable(index), attempt, of: mostAttempts, ...(as !== index.name && { as }) });
      await allowWorkers(session, workers);
      try {
        await runStatement(session, createConcurrentlySql({ ...index, name: as }, index.unique, trial.canonical));
      } catch (error) {
        await session.end().catch(() => undefined);
        return this.fail(recorded, attempt, buildProblem(index, trial, error as DatabaseError));
      }
      await runStatement(session, commentSql(index.schema, as, commentFor(index, as)));
    });
  }

  /** Drops an index for a reason, without keeping anybody waiting. */
  async remove(index: ObservedIndex, why: string): Promise<void> {
    await this.detached(shownName(index), index.tableOid, async (session) => void (await this.drop(session, index, why)));
  }

  /** Gives a replacement the name, in one transaction; the old one steps aside and is kept. */
  async swap(index: CataloguedIndex, { current, replacement, aside, inTheWay }: Extract<Decision, { kind: 'swap' }>, generation: number): Promise<void> {
    await this.detached(shownName(index), replacement.tableOid, async (session) => {
      if (inTheWay && !(await this.makeRoom(session, inTheWay, 'an older replaced one'))) return;
      await session.query(`BEGIN; SET LOCAL lock_timeout = '${swapLockTimeout}'; SET LOCAL idle_in_transaction_session_timeout = '${swapIdleTimeout}'`);
      try {
        if (!(await isAsSeen(session, replacement)) || (current && !(await isAsSeen(session, current)))) throw new Error('somebody else was quicker');
        // The replacement first, by a name that nobody has: both may swap their names.
        const between = `index_swap_${replacement.oid}`;
        await runStatement(session, renameSql(index.schema, replacement.name, between));
        if (current) await runStatement(session, renameSql(index.schema, current.name, aside));
        await runStatement(session, renameSql(index.schema, between, index.name));
        if (isOurs(replacement)) await runStatement(session, commentSql(index.schema, index.name, builtHereComment));
        if (current && isOurs(current)) await runStatement(session, commentSql(index.schema, aside, replacedComment(generation)));
        await session.query('COMMIT');
      } catch (error) {
        await session.query('ROLLBACK');
        this.options.log({ event: 'swap put off', index: shownName(index), problem: (error as Error).message });
        return;
      }
      this.options.log({ event: 'swapped', index: shownName(index), table: shownTable(index), ...(current && { old: aside }) });
    });
  }

  private async fail(recorded: RecordedBuild, attempt: number, problem: BuildProblem): Promise<void> {
    const { index } = recorded;
    const [name, table] = [shownName(index), shownTable(index)];
    if (problem.outOfSight) {
      this.options.log({ event: 'build out of sight', index: name, table, problem: problem.problem, next: 'it goes on if its server does; the next look tells' });
    } else {
      const next = problem.hopeless || attempt >= mostAttempts ? 'not tried again' : `tried again, attempt ${attempt + 1} of ${mostAttempts}`;
      this.options.log({ event: 'build failed', index: name, table, problem: problem.problem, next });
    }
    // Not in the session of the build, which may be gone.
    const session = await this.options.connect();
    try {
      await recordProblem(session, recorded, attempt, problem);
    } finally {
      await session.end();
    }
  }

  /** A drop may wait for hours: false if another catalogue has been accepted meanwhile, or the index is not what it was. */
  private async makeRoom(session: Client, index: ObservedIndex, why: string): Promise<boolean> {
    return (await this.drop(session, index, why)) && (await this.options.isAccepted(session));
  }

  /** False if it is not what it was when it was looked at, or somebody works on its table. */
  private async drop(session: Client, index: ObservedIndex, why: string): Promise<boolean> {
    if (!(await isAsSeen(session, index))) return false;
    // A drop that queues behind a build by hand cancels it by a deadlock, and one behind a repair takes what has become VALID.
    if (await isWorkedOnByOthers(session, index.tableOid)) return false;
    await runStatement(session, dropConcurrentlySql(index));
    this.options.log({ event: 'index dropped', index: shownName(index), table: shownTable(index), why });
    return true;
  }

  /** Starts work in a session that outlives its client; returns once the session is open. */
  private async detached(index: string, tableOid: string, work: (session: Client) => Promise<void>): Promise<void> {
    const session = await this.options.connect();
    const working = (async () => {
      try {
        await becomeBuilder(session, index);
        if ((await tryLockTable(session, tableOid)) && (await this.options.isAccepted(session))) await work(session);
      } finally {
        await session.end().catch(() => undefined);
      }
    })();
    const settled = working
      .catch((error: Error) => this.options.log({ event: 'work on an index failed', index, problem: error.message }))
      .finally(() => this.underWay.delete(settled));
    this.underWay.add(settled);
  }
}

/** The same index, still in the state and with the marks by which it was judged. */
async function isAsSeen(session: Client, { oid, schema, name, valid, comment, replicaIdentity }: ObservedIndex): Promise<boolean> {
  const { rows } = await session.query<Pick<ObservedIndex, 'valid' | 'comment' | 'replicaIdentity'>>(
    `SELECT i.indisvalid AS valid, obj_description(i.indexrelid, 'pg_class') AS comment, i.indisreplident AS "replicaIdentity" FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE i.indexrelid = $1 AND n.nspname = $2 AND c.relname = $3`,
    [oid, schema, name],
  );
  const [now] = rows;
  return now !== undefined && now.valid === valid && now.comment === comment && now.replicaIdentity === replicaIdentity;
}

async function exists(session: Client, schema: string, name: string): Promise<boolean> {
  const { rows } = await session.query<{ exists: boolean }>(
    'SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2) AS exists',
    [schema, name],
  );
  return rows[0]!.exists;
}
