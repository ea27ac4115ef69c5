import type { Client } from 'pg';

import { isRecordedFinished, recordFinished } from './build-history';
import { type BuildProgress, readProgress } from './build-progress';
import { describeWait, readWaits, type Wait, WaitsToTell } from './build-waits';
import { IndexBuilder } from './index-builder';
import { type CataloguedIndex, type IndexCatalogue, indexProblems, qualifiedName } from './index-catalogue';
import { builtHereComment, commentFor } from './index-ownership';
import { openPrepared } from './index-session';
import { BuildRoom, bytesForBuild, readIndexedRows, readUsedBytes } from './index-space';
import { commentSql, runStatement } from './index-sql';
import { type Step, stepsOf } from './index-steps';
import { prepareStore } from './index-store';
import { isSettled, summarize } from './index-summary';
import { IndexSurveyor, type Survey } from './index-survey';
import { isAccepted } from './index-trial';
import { workersOfBuild } from './index-workers';
import type { IndexSummary } from './indexes.contract';
import { isPassing } from './passing-errors';
import { endsWithin } from './time-limit';

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
  /** Cores of the server that builds may keep busy together. @default - one for each table */
  readonly cores?: number;
  /** Storage of the instance, bytes. @default - free space is not checked */
  readonly allocatedBytes?: number;
  /** A look that takes longer is begun anew in another session: the server of its own may have vanished without a word. @default 2 minutes */
  readonly longestLookMs?: number;
}

/** What people want to know of a database. */
export interface IndexStatus {
  readonly survey: Survey;
  /** Of indexes that would be built. */
  readonly expectedBytes: ReadonlyMap<CataloguedIndex, number>;
  readonly progress: readonly BuildProgress[];
  readonly waits: readonly Wait[];
}

type BuildStep = Extract<Step, { kind: 'build' }>;

/** What was done at one look. */
interface Acts {
  /** Why builds were not started. */
  readonly putOff: ReadonlyMap<CataloguedIndex, string>;
  readonly anyStarted: boolean;
}

/** A look costs the database some statements: one that sees nothing new makes the next one later. */
const lookAgainMs = { soonest: 500, latest: 5000 };
/** What the last look may take beyond the deadline. */
const lastLookMs = 15_000;

/**
 * Brings the indexes of a database to a catalogue, one step at a look. A build belongs to the server: whoever started it
 * may die, and whoever looks next finds it by the lock that its session holds. What has been done is read from the
 * catalog, never from memory.
 */
export class IndexReconciler {
  private readonly surveyor: IndexSurveyor;
  private readonly builder: IndexBuilder;
  private readonly waitsToTell = new WaitsToTell();

  constructor(private readonly options: ReconcilerOptions) {
    this.surveyor = new IndexSurveyor(options.catalogue, options.generation);
    this.builder = new IndexBuilder({ connect: () => this.open(), isAccepted: (session) => this.isAccepted(session), log: options.log });
  }

  /**
   * Judges every name, and every definition on an empty copy of its table; builds nothing.
   *
   * @returns every problem, by index; a missing table is none
   */
  async validate(): Promise<readonly string[]> {
    const { indexes, retired } = this.options.catalogue;
    return [...indexProblems(indexes, retired), ...summarize(await this.survey()).failed];
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
    return this.withSession((session) => this.look(session, patienceMs));
  }

  /**
   * Ticks until nothing is left to do or the time is over; what builds then goes on without it. What passes, as a failover
   * or DDL in the way, is waited out.
   */
  async run(deadline: Date): Promise<IndexSummary> {
    // One for all looks: a new one would have to read the catalog anew, on a core that a build could use.
    let session: Client | undefined;
    let last = '';
    try {
      for (let pauseMs = lookAgainMs.soonest; ; pauseMs = Math.min(lookAgainMs.latest, pauseMs * 1.5)) {
        const mayLookAgain = Date.now() + pauseMs <= deadline.getTime();
        let summary: IndexSummary | undefined;
        try {
          session ??= await this.open();
          summary = await this.answeredLook(session, deadline);
        } catch (error) {
          if (!isPassing(error as Error) || !mayLookAgain) throw error;
          this.options.log({ event: 'look failed', problem: (error as Error).message });
          await session?.end();
          session = undefined;
        }
        if (summary && (isSettled(summary) || !mayLookAgain)) return summary;
        const seen = JSON.stringify(summary && [summary.valid, summary.building, summary.waiting]);
        if (seen !== last) pauseMs = lookAgainMs.soonest;
        last = seen;
        await this.builder.anyEnd(pauseMs);
      }
    } finally {
      await session?.end();
    }
  }

  /** @throws Error if the database stops answering without a word, which TCP notices after minutes */
  private async answeredLook(session: Client, deadline: Date): Promise<IndexSummary> {
    const longestMs = Math.min(this.options.longestLookMs ?? 120_000, Math.max(0, deadline.getTime() - Date.now()) + lastLookMs);
    const look = this.look(session, 0);
    if (await endsWithin(longestMs, look)) return look;
    throw new Error(`timeout expired: the database has not answered for ${longestMs / 1000} s, as after a failover`);
  }

  private async look(session: Client, patienceMs: number): Promise<IndexSummary> {
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
    for (const wait of this.waitsToTell.from(waits)) this.options.log({ event: 'build waits', ...wait, advice: describeWait(wait) });
    return summarize(survey, progress, waits, putOff);
  }

  /** Does what was found to do, on as many tables as may be worked on at once. */
  private async act(session: Client, survey: Survey): Promise<Acts> {
    const { tablesAtOnce = 2, cores = tablesAtOnce, rolledBack = false, generation } = this.options;
    const putOff = new Map<CataloguedIndex, string>();
    const busy = new Set(survey.busyTables);
    const steps = stepsOf(survey, rolledBack);
    const toBuildOn = new Set([...busy, ...steps.flatMap(({ kind, tableOid }) => (kind === 'build' ? [tableOid] : []))]);
    const workers = workersOfBuild(cores, Math.min(tablesAtOnce, toBuildOn.size));
    let room: BuildRoom | undefined;
    for (const step of steps) {
      if (busy.size >= tablesAtOnce) break;
      if (busy.has(step.tableOid)) continue;
      if (step.kind === 'build') {
        room ??= await this.room(session, survey);
        const outcome = await this.build(session, step, room, workers);
        if (outcome !== 'started') {
          if (outcome !== 'later') putOff.set(step.judged.index, outcome.problem);
          continue;
        }
      } else if (step.kind === 'swap') {
        await this.builder.swap(step.judged.index, step.decision, generation);
      } else {
        await this.builder.remove(step.index, step.why);
      }
      busy.add(step.tableOid);
    }
    return { putOff, anyStarted: busy.size > survey.busyTables.size };
  }

  private async build(session: Client, { tableOid, judged: { index }, decision, trial }: BuildStep, room: BuildRoom, workers: number): Promise<'started' | 'later' | { readonly problem: string }> {
    const size = await readIndexedRows(session, index, trial);
    const problem = room.problemOf(size);
    if (problem !== undefined) return { problem };
    if (room.mustWait(size)) return 'later';
    room.take(size);
    await this.builder.build(this.surveyor.recordedBuild(index, trial), tableOid, trial, decision, workers);
    return 'started';
  }

  /** Beside the builds that are under way. The size of every database is read once for a look, not for every build. */
  private async room(session: Client, { judged }: Survey): Promise<BuildRoom> {
    const { allocatedBytes } = this.options;
    const room = new BuildRoom(allocatedBytes === undefined ? undefined : { allocatedBytes, usedBytes: await readUsedBytes(session) });
    for (const { index, trial, decision } of judged) if (decision.kind === 'building' && isAccepted(trial)) room.take(await readIndexedRows(session, index, trial));
    return room;
  }

  /** Marks what was built here, and tells of it once. */
  private async recordFinished(session: Client, { judged, found, history }: Survey): Promise<void> {
    const valid = judged.filter(({ decision }) => decision.kind === 'valid' && decision.as === undefined);
    const builds = valid.flatMap(({ index, trial }) => (isAccepted(trial) ? [this.surveyor.recordedBuild(index, trial)] : []));
    const finished = await recordFinished(session, builds.filter((build) => !isRecordedFinished(history, build)));
    for (const { schema, name, seconds } of finished) {
      if (seconds === null) continue;
      const { index } = valid.find((each) => qualifiedName(each.index) === qualifiedName({ schema, name }))!;
      const built = found.get(qualifiedName(index));
      if (built?.comment === null) await runStatement(session, commentSql(schema, name, builtHereComment));
      this.options.log({ event: 'build finished', index: name, table: index.table, seconds, bytes: built?.bytes });
    }
  }

  /** Marks what is being built here, so that it is known for ours even if it is wanted no more when it is VALID. */
  private async claim(session: Client, { judged }: Survey, progress: readonly BuildProgress[]): Promise<void> {
    for (const { index, table, decision } of judged) {
      if (decision.kind !== 'building' || decision.unfinished.comment !== null || !progress.some(({ tableOid }) => tableOid === table?.oid)) continue;
      const { schema, name } = decision.unfinished;
      // It may just have died and been dropped; the next look sees.
      await runStatement(session, commentSql(schema, name, commentFor(index, name))).catch(() => undefined);
    }
  }

  private async isAccepted(session: Client): Promise<boolean> {
    return (await this.options.isAccepted?.(session)) ?? true;
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
    const session = await openPrepared(this.options.connect);
    // One that is lost while nobody asks it says so at the next statement.
    session.on('error', () => undefined);
    return session;
  }
}
