import type { Client } from 'pg';

import { recordFinished } from './build-history';
import { isPassing } from './build-problems';
import { type BuildProgress, readProgress } from './build-progress';
import { describeWait, readWaits, type Wait } from './build-waits';
import { IndexBuilder } from './index-builder';
import { type CataloguedIndex, type IndexCatalogue, qualifiedName } from './index-catalogue';
import type { ObservedIndex } from './index-observation';
import { builtHereComment } from './index-ownership';
import { prepareSession } from './index-session';
import { bytesForBuild, type InstanceSpace, readIndexedRows, readUsedBytes, spaceProblem } from './index-space';
import { commentSql, runStatement } from './index-sql';
import { prepareStore } from './index-store';
import { isSettled, summarize } from './index-summary';
import { IndexSurveyor, type JudgedIndex, type Survey } from './index-survey';
import { isAccepted } from './index-trial';
import type { IndexSummary } from './indexes.contract';

export interface ReconcilerOptions {
  /** Opens a session on the primary, as a role that has the rights of the tables' owner. */
  readonly connect: () => Promise<Client>;
  readonly catalogue: IndexCatalogue;
  /** Number of the deploy that brought the catalogue. */
  readonly generation: number;
  /** CloudFormation went back to the catalogue: nothing is dropped. @default false */
  readonly rolledBack?: boolean;
  /** False once another catalogue has been accepted: then this one is only looked at. @default - it is for ever */
  readonly isAccepted?: (session: Client) => Promise<boolean>;
  /** One structured line for each thing that happens. */
  readonly log: (event: Readonly<Record<string, unknown>>) => void;
  /** Tables that are built on at the same time; each takes one index at a time. @default 2 */
  readonly tablesAtOnce?: number;
  /** Storage of the instance, bytes. @default - free space is not checked */
  readonly allocatedBytes?: number;
}

/** What people want to know of a database. */
export interface IndexStatus {
  readonly survey: Survey;
  /** Of indexes that would be built. */
  readonly expectedBytes: ReadonlyMap<CataloguedIndex, number>;
  readonly progress: readonly BuildProgress[];
  readonly waits: readonly Wait[];
}

/** What was done at one look. */
interface Acts {
  /** Why builds were not started. */
  readonly putOff: ReadonlyMap<CataloguedIndex, string>;
  readonly anyStarted: boolean;
}

/** A look costs the database a session and some statements: one that sees nothing new makes the next one later. */
const lookAgainMs = { soonest: 500, latest: 5000 };
const tellAgainMs = 30_000;
const tellFromSeconds = 1;

/**
 * Brings the indexes of a database to a catalogue, one step at a look. A build belongs to the server: whoever started it
 * may die, and whoever looks next finds it by the lock that its session holds. What has been done is read from the
 * catalog, never from memory.
 */
export class IndexReconciler {
  private readonly surveyor: IndexSurveyor;
  private readonly builder: IndexBuilder;
  private readonly toldOf = new Map<string, number>();

  constructor(private readonly options: ReconcilerOptions) {
    this.surveyor = new IndexSurveyor(options.catalogue, options.generation);
    this.builder = new IndexBuilder({ connect: () => this.open(), isAccepted: (session) => this.isAccepted(session), log: options.log });
  }

  /**
   * Judges every definition on an empty copy of its table; builds nothing.
   *
   * @returns every problem, by index; a missing table is none
   */
  async validate(): Promise<readonly string[]> {
    return summarize(await this.survey()).failed;
  }

  /** Looks once; changes nothing. */
  async survey(): Promise<Survey> {
    return this.withSession((session) => this.surveyor.survey(session));
  }

  /** Looks once, with how far builds are and who keeps them waiting; changes nothing. */
  async status(): Promise<IndexStatus> {
    return this.withSession(async (session) => {
      const survey = await this.surveyor.survey(session);
      const expectedBytes = new Map<CataloguedIndex, number>();
      for (const { index, trial, decision } of survey.judged) {
        if (decision.kind === 'build' && isAccepted(trial)) expectedBytes.set(index, bytesForBuild(await readIndexedRows(session, index, trial)).index);
      }
      return { survey, expectedBytes, progress: await readProgress(session), waits: await readWaits(session) };
    });
  }

  /**
   * Looks once and does what may be done now.
   *
   * @param patienceMs how long to wait for what was started, so that a small index is told as done and duplicates as found
   */
  async tick(patienceMs = 1000): Promise<IndexSummary> {
    return this.withSession(async (session) => {
      if (!(await this.isAccepted(session))) return { ...summarize(await this.surveyor.survey(session)), superseded: true };
      await prepareStore(session);
      const before = await this.surveyor.survey(session);
      const { putOff, anyStarted } = await this.act(session, before);
      const mayHaveChanged = anyStarted || this.builder.isBusy;
      await this.builder.allEnd(patienceMs);
      const survey = mayHaveChanged ? await this.surveyor.survey(session) : before;
      await this.recordFinished(session, survey);
      const progress = await readProgress(session);
      await this.claim(session, survey, progress);
      const waits = await readWaits(session);
      for (const wait of waits) this.tellOf(wait);
      return summarize(survey, progress, waits, putOff);
    });
  }

  /**
   * Ticks until nothing is left to do or the time is over; what builds then goes on without it. What passes, as a failover
   * or DDL in the way, is waited out.
   */
  async run(deadline: Date): Promise<IndexSummary> {
    let last = '';
    for (let pauseMs = lookAgainMs.soonest; ; pauseMs = Math.min(lookAgainMs.latest, pauseMs * 1.5)) {
      const mayLookAgain = Date.now() + pauseMs <= deadline.getTime();
      const summary = await this.tick(0).catch((error: Error) => {
        if (!isPassing(error) || !mayLookAgain) throw error;
        this.options.log({ event: 'look failed', problem: error.message });
        return undefined;
      });
      if (summary && (isSettled(summary) || !mayLookAgain)) return summary;
      const seen = JSON.stringify(summary && [summary.valid, summary.building, summary.waiting]);
      if (seen !== last) pauseMs = lookAgainMs.soonest;
      last = seen;
      await this.builder.anyEnd(pauseMs);
    }
  }

  private async act(session: Client, survey: Survey): Promise<Acts> {
    const putOff = new Map<CataloguedIndex, string>();
    const busy = new Set(survey.busyTables);
    const free = (tableOid: string): boolean => !busy.has(tableOid) && busy.size < (this.options.tablesAtOnce ?? 2);
    const drop = async (index: ObservedIndex, why: string): Promise<void> => {
      if (!free(index.tableOid)) return;
      busy.add(index.tableOid);
      await this.builder.remove(index, why);
    };
    // The size of every database is read once for a look, not for every build.
    let space: InstanceSpace | undefined;
    if (!this.options.rolledBack) for (const index of survey.abandoned) await drop(index, 'a change that was given up left it INVALID');
    for (const judged of inOrder(survey.judged)) {
      const { index, table, decision } = judged;
      if (table === undefined || !free(table.oid)) continue;
      if (decision.kind === 'build') {
        space ??= await this.space(session);
        const problem = await this.build(session, judged, space);
        if (problem === undefined) busy.add(table.oid);
        else putOff.set(index, problem);
      } else if (decision.kind === 'swap') {
        busy.add(table.oid);
        await this.builder.swap(index, decision, this.options.generation);
      } else if (decision.kind === 'failed' && decision.remains && !decision.remains.valid) {
        await drop(decision.remains, 'a build that failed left it INVALID');
      }
    }
    if (!this.options.rolledBack) {
      for (const { index, problem, waitsFor } of survey.retired) if (problem === undefined && waitsFor.length === 0) await drop(index, 'retired');
      const summary = summarize(survey);
      const succeeded = isSettled(summary) && summary.failed.length === 0;
      for (const index of succeeded ? survey.replaced : []) await drop(index, 'replaced, and a later deploy has succeeded');
    }
    return { putOff, anyStarted: busy.size > survey.busyTables.size };
  }

  /** @returns why it was not started */
  private async build(session: Client, judged: JudgedIndex, space: InstanceSpace | undefined): Promise<string | undefined> {
    const { index, table, trial, decision } = judged;
    const recorded = this.surveyor.recordOf(judged);
    if (decision.kind !== 'build' || !table || !isAccepted(trial) || !recorded) return undefined;
    const problem = space && spaceProblem(await readIndexedRows(session, index, trial), space);
    if (problem === undefined) await this.builder.build(recorded, table.oid, trial, decision);
    return problem;
  }

  private async space(session: Client): Promise<InstanceSpace | undefined> {
    const { allocatedBytes } = this.options;
    return allocatedBytes === undefined ? undefined : { allocatedBytes, usedBytes: await readUsedBytes(session) };
  }

  /** Marks what was built here, and tells of it once. */
  private async recordFinished(session: Client, { judged, sizes }: Survey): Promise<void> {
    const valid = judged.filter(({ decision }) => decision.kind === 'valid' && decision.as === undefined);
    const finished = await recordFinished(session, valid.flatMap((each) => this.surveyor.recordOf(each) ?? []));
    for (const { schema, name, seconds } of finished) {
      if (seconds === null) continue;
      const { index } = valid.find((each) => qualifiedName(each.index) === qualifiedName({ schema, name }))!;
      await runStatement(session, commentSql(schema, name, builtHereComment));
      this.options.log({ event: 'build finished', index: name, table: index.table, seconds, bytes: sizes.get(qualifiedName(index)) });
    }
  }

  /** Marks what is being built here, so that it is known for ours even if it is wanted no more when it is VALID. */
  private async claim(session: Client, { judged }: Survey, progress: readonly BuildProgress[]): Promise<void> {
    for (const { table, decision } of judged) {
      if (decision.kind !== 'building' || decision.unfinished.comment !== null || !progress.some(({ tableOid }) => tableOid === table?.oid)) continue;
      const { schema, name } = decision.unfinished;
      // It may just have died and been dropped; the next look sees.
      await runStatement(session, commentSql(schema, name, builtHereComment)).catch(() => undefined);
    }
  }

  private async isAccepted(session: Client): Promise<boolean> {
    return (await this.options.isAccepted?.(session)) ?? true;
  }

  /** Once in a while: a wait may last for hours. One that has just begun is nothing to tell. */
  private tellOf(wait: Wait): void {
    if ((wait.waitingSeconds ?? 0) < tellFromSeconds) return;
    const key = `${wait.index} ${wait.direction} ${wait.pid}`;
    if (Date.now() - (this.toldOf.get(key) ?? 0) < tellAgainMs) return;
    this.toldOf.set(key, Date.now());
    this.options.log({ event: 'build waits', ...wait, advice: describeWait(wait) });
  }

  private async withSession<Result>(use: (session: Client) => Promise<Result>): Promise<Result> {
    const session = await this.open();
    try {
      return await use(session);
    } finally {
      await session.end();
    }
  }

  private async open(): Promise<Client> {
    const session = await this.options.connect();
    try {
      await prepareSession(session);
      return session;
    } catch (error) {
      await session.end();
      throw error;
    }
  }
}

/** What keeps inserts from succeeding first, what keeps other builds waiting last. */
function inOrder(judged: readonly JudgedIndex[]): readonly JudgedIndex[] {
  const rank = ({ decision, trial }: JudgedIndex): number => {
    if ((decision.kind === 'build' || decision.kind === 'failed') && decision.remains?.unique) return 0;
    return isAccepted(trial) && trial.holdsOthersBack ? 2 : 1;
  };
  return [...judged].sort((a, b) => rank(a) - rank(b));
}
