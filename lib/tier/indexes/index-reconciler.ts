import type { Client } from 'pg';

import { markBuilding, markFinished } from './build-marks';
import { type BuildProgress, readProgress } from './build-progress';
import { describeWait, readWaits, type Wait, WaitsToTell } from './build-waits';
import { IndexBuilder } from './index-builder';
import { type CataloguedIndex, type IndexCatalogue, indexProblems } from './index-catalogue';
import { endSession, longestLookMs, openPrepared, withPrepared } from './index-session';
import { BuildRoom, bytesForBuild, readIndexedRows, readUsedBytes } from './index-space';
import { type Step, stepsOf } from './index-steps';
import { prepareStore } from './index-store';
import { isSettled, summarize } from './index-summary';
import { IndexSurveyor, type Survey } from './index-survey';
import { isAccepted } from './index-trial';
import { workersOfBuild } from './index-workers';
import type { IndexSummary } from './indexes.contract';
import { isPassing } from './passing-errors';
import { answeredWithin } from './time-limit';

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
  /** A look that takes longer is given up, by {@link IndexReconciler.run} for another one in a new session: the server may have vanished without a word. @default 2 minutes */
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

/** What was found at one look. */
interface Look {
  readonly summary: IndexSummary;
  /** Nothing was under way from here meanwhile: no remains being dropped, no new index being marked. */
  readonly isCalm: boolean;
}

/** What was done at one look. */
interface Acts {
  /** Why builds were not started. */
  readonly putOff: ReadonlyMap<CataloguedIndex, string>;
  readonly anyStarted: boolean;
}

/** A look costs the database some statements: one that sees nothing new makes the next one later. */
const lookAgainMs = { toConfirm: 100, soonest: 500, latest: 5000 };
/** What the last look may take beyond the deadline. */
const lastLookMs = 15_000;
/** What is left of work on indexes that need no more is not waited for any longer. */
const longestFinishMs = 10_000;

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
    return this.inSession((session) => this.surveyor.survey(session));
  }

  /** Looks once, with how far builds are and who keeps them waiting; changes nothing. */
  async status(): Promise<IndexStatus> {
    return this.inSession(async (session) => {
      const survey = await this.surveyor.survey(session);
      const expectedBytes = new Map<CataloguedIndex, number>();
      for (const { index, trial, decision } of survey.judged) {
        if (decision.kind === 'build' && isAccepted(trial)) expectedBytes.set(index, bytesForBuild(await readIndexedRows(session, index, trial)).index);
      }
      return { survey, expectedBytes, progress: await readProgress(session), waits: await readWaits(session, survey.notBegun) };
    });
  }

  /**
   * Looks once and does what may be done now.
   *
   * @param patienceMs how long to wait for what was started, so that a small index is told as done and duplicates as found
   */
  async tick(patienceMs = 1000): Promise<IndexSummary> {
    return this.inSession(async (session) => (await this.look(session, patienceMs)).summary);
  }

  /**
   * Ticks until nothing is left to do or the time is over; what builds then goes on without it. What passes, as a failover
   * or DDL in the way, is waited out.
   */
  async run(deadline: Date): Promise<IndexSummary> {
    // One for all looks: a new one would have to read the catalog anew, on a core that a build could use.
    let session: Client | undefined;
    let last = '';
    let settledAtMs: number | undefined;
    try {
      for (let pauseMs = lookAgainMs.soonest; ; pauseMs = Math.min(lookAgainMs.latest, pauseMs * 1.5)) {
        const mayLookAgain = Date.now() + pauseMs <= deadline.getTime();
        let seen: Look | undefined;
        try {
          session ??= await this.open();
          const longestMs = Math.min(this.longestLookMs, Math.max(0, deadline.getTime() - Date.now()) + lastLookMs);
          seen = await answeredWithin(longestMs, this.look(session, 0));
        } catch (error) {
          if (!isPassing(error as Error) || !mayLookAgain) throw error;
          this.options.log({ event: 'look failed', problem: (error as Error).message });
          if (session) await endSession(session);
          session = undefined;
        }
        settledAtMs = seen && isSettled(seen.summary) ? (settledAtMs ?? Date.now()) : undefined;
        const isDone = settledAtMs !== undefined && (seen!.isCalm || Date.now() - settledAtMs > longestFinishMs);
        if (seen && (isDone || !mayLookAgain)) return seen.summary;
        const state = JSON.stringify(seen && [seen.summary.valid, seen.summary.building, seen.summary.waiting]);
        if (state !== last) pauseMs = lookAgainMs.soonest;
        last = state;
        await this.builder.anyEnd(settledAtMs === undefined || this.builder.isBusy ? pauseMs : lookAgainMs.toConfirm);
      }
    } finally {
      if (session) await endSession(session);
    }
  }

  private async look(session: Client, patienceMs: number): Promise<Look> {
    if (!(await this.isAccepted(session))) return { summary: { ...summarize(await this.surveyor.survey(session)), superseded: true }, isCalm: true };
    await prepareStore(session);
    const wasBusy = this.builder.isBusy;
    const before = await this.surveyor.survey(session);
    const { putOff, anyStarted } = await this.act(session, before);
    const mayHaveChanged = wasBusy || anyStarted || this.builder.isBusy;
    await this.builder.allEnd(patienceMs);
    const survey = mayHaveChanged ? await this.surveyor.survey(session) : before;
    await markFinished(session, this.surveyor, survey, this.options.log);
    const progress = await readProgress(session);
    await markBuilding(session, survey, progress);
    const waits = await readWaits(session, survey.notBegun);
    for (const wait of this.waitsToTell.from(waits)) this.options.log({ event: 'build waits', ...wait, advice: describeWait(wait) });
    return { summary: summarize(survey, progress, waits, putOff), isCalm: !mayHaveChanged };
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

  private async isAccepted(session: Client): Promise<boolean> {
    return (await this.options.isAccepted?.(session)) ?? true;
  }

  private inSession<Result>(look: (session: Client) => Promise<Result>): Promise<Result> {
    return withPrepared(this.options.connect, look, this.longestLookMs);
  }

  private open(): Promise<Client> {
    return openPrepared(this.options.connect, this.longestLookMs);
  }

  private get longestLookMs(): number {
    return this.options.longestLookMs ?? longestLookMs;
  }
}
