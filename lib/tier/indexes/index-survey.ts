import type { Client } from 'pg';

import { type BuildHistory, type RecordedBuild, readHistory } from './build-history';
import { type CataloguedIndex, type IndexCatalogue, qualifiedName, shownName } from './index-catalogue';
import { dropConcurrentlySql } from './index-sql';
import { type Decision, decide, wantedDefinition } from './index-decision';
import { isReindexLeftoverOf, nameBeside } from './index-names';
import { observe, type ObservedIndex, type ObservedTable } from './index-observation';
import { builtBesideComment, reasonToKeep, replacedIn } from './index-ownership';
import { type AcceptedTrial, type Trial, tryDefinition } from './index-trial';

/** An index of the catalogue as it was judged at one look. */
export interface JudgedIndex {
  readonly index: CataloguedIndex;
  readonly table: ObservedTable | undefined;
  readonly trial: Trial | undefined;
  readonly decision: Decision;
}

/** A database at one look, and what is to be done about it. */
export interface Survey {
  readonly database: string;
  readonly judged: readonly JudgedIndex[];
  /** Tables whose builder lives. */
  readonly busyTables: ReadonlySet<string>;
  readonly retired: readonly RetiredIndexFound[];
  /** Indexes that a change replaced in an earlier deploy, or built for a change that was given up since. */
  readonly replaced: readonly ObservedIndex[];
  /** INVALID remains of such a change, or of a drop that was cut short. */
  readonly abandoned: readonly ObservedIndex[];
  /** INVALID remains that nobody here repairs, with the statement that drops them. */
  readonly leftovers: readonly string[];
  /** Indexes of the catalogue's tables that are INVALID though nobody builds there. */
  readonly invalid: readonly string[];
  /** Indexes that are not begun since somebody works on their table, by its oid: the first of each. */
  readonly notBegun: ReadonlyMap<string, string>;
  readonly history: BuildHistory;
  /** Every index that was seen, by `schema.name`. */
  readonly found: ReadonlyMap<string, ObservedIndex>;
}

/** A retired index that still exists. */
export interface RetiredIndexFound {
  readonly index: ObservedIndex;
  /** Why it cannot be dropped. */
  readonly problem: string | undefined;
  /** Indexes of its table that must be VALID before it goes: one of them may be to take its place. */
  readonly waitsFor: readonly string[];
}

/** Looks at a database and judges every index of a catalogue. */
export class IndexSurveyor {
  /** A definition is tried once on a table as it is: the shadow tables of every look would bloat the catalog. */
  private readonly trials = new Map<CataloguedIndex, { readonly on: string; readonly trial: Trial }>();

  constructor(
    private readonly catalogue: IndexCatalogue,
    private readonly generation: number,
  ) {}

  async survey(session: Client): Promise<Survey> {
    const { indexes, retired } = this.catalogue;
    // History before the catalog: the other order takes what has just been finished for something that is gone.
    const history = await readHistory(session);
    const seen = await observe(session, this.catalogue);
    const judged: JudgedIndex[] = [];
    for (const [position, index] of indexes.entries()) {
      const table = seen.tables[position];
      const trial = table && !table.locked ? await this.trialOf(session, index, table) : undefined;
      const ofSchema = <Named extends { readonly schema: string; readonly name: string }>(found: readonly Named[]): readonly Named[] => found.filter(({ schema }) => schema === index.schema);
      const decision = decide({
        index,
        table,
        trial,
        indexes: ofSchema(seen.indexes),
        taken: new Map(ofSchema(seen.taken).map(({ name, kind }) => [name, kind])),
        builderLives: seen.busyTables.has(table?.oid ?? ''),
        record: history.get(qualifiedName(index)),
        generation: this.generation,
        retired: new Set(ofSchema(retired).map(({ name }) => name)),
        wanted: new Set(ofSchema(indexes).map(({ name }) => name)),
      });
      judged.push({ index, table, trial, decision });
    }
    const isRetired = (found: ObservedIndex): boolean => retired.some((wanted) => qualifiedName(wanted) === qualifiedName(found));
    const worked = new Set([...seen.busyTables, ...seen.tables.flatMap((table) => (table?.lockedByOthers ? [table.oid] : []))]);
    const invalid = seen.indexes.filter(({ valid, tableOid }) => !valid && !worked.has(tableOid));
    const abandoned = invalid.filter((found) => !this.isWanted(found) && (replacedIn(found) !== undefined || this.isBesideOfDone(found, judged)));
    const repaired = new Set([...abandoned, ...judged.flatMap(({ decision }) => ('remains' in decision ? [decision.remains] : []))]);
    const drifted = judged.filter(({ decision }) => decision.kind === 'drifted').map(({ index }) => qualifiedName(index));
    return {
      database: seen.database,
      judged,
      busyTables: seen.busyTables,
      retired: seen.indexes.filter(isRetired).map((index) => ({
        index,
        problem: reasonToKeep(index),
        waitsFor: judged.filter(({ table, decision }) => table?.oid === index.tableOid && decision.kind !== 'valid').map(({ index: wanted }) => wanted.name),
      })),
      replaced: seen.indexes.filter((found) => found.valid && this.isSpent(found, judged) && !judged.some(({ decision }) => decision.kind === 'valid' && decision.as === found.name)),
      abandoned,
      leftovers: invalid.filter((found) => !repaired.has(found) && !isRetired(found) && !drifted.includes(qualifiedName(found))).map((found) => leftoverProblem(found, indexes)),
      invalid: invalid.map(shownName),
      notBegun: new Map(judged.flatMap(({ index, table, decision }) => (table?.lockedByOthers && decision.kind === 'waiting' ? [[table.oid, shownName(index)] as const] : [])).reverse()),
      history,
      found: new Map(seen.indexes.map((found) => [qualifiedName(found), found])),
    };
  }

  /** What is recorded of a build. */
  recordedBuild(index: CataloguedIndex, { canonical }: AcceptedTrial): RecordedBuild {
    return { index, definition: wantedDefinition(index.unique, canonical), generation: this.generation };
  }

  /** Replaced in an earlier deploy than the accepted one, or built for a change that was given up since. */
  private isSpent(found: ObservedIndex, judged: readonly JudgedIndex[]): boolean {
    if (this.isWanted(found) || reasonToKeep(found) !== undefined) return false;
    const replaced = replacedIn(found);
    return replaced === undefined ? found.comment === builtBesideComment && this.isBesideOfDone(found, judged) : replaced < this.generation;
  }

  /** The catalogue has its name. */
  private isWanted(found: ObservedIndex): boolean {
    return this.catalogue.indexes.some((index) => qualifiedName(index) === qualifiedName(found));
  }

  /** Made beside an index of the catalogue that is as it should be without it. */
  private isBesideOfDone(found: ObservedIndex, judged: readonly JudgedIndex[]): boolean {
    return judged.some(({ index, table, decision }) => table?.oid === found.tableOid && decision.kind === 'valid' && nameBeside(index.name, 'new') === found.name);
  }

  private async trialOf(session: Client, index: CataloguedIndex, { oid, columns }: ObservedTable): Promise<Trial> {
    const on = `${oid} ${columns}`;
    const known = this.trials.get(index);
    if (known?.on === on) return known.trial;
    const trial = await tryDefinition(session, index);
    if (!('busy' in trial)) this.trials.set(index, { on, trial });
    return trial;
  }
}

function leftoverProblem(found: ObservedIndex, indexes: readonly CataloguedIndex[]): string {
  const reindexed = indexes.some(({ schema, name }) => schema === found.schema && isReindexLeftoverOf(name, found.name));
  return `${shownName(found)}: ${reindexed ? 'left INVALID by a REINDEX CONCURRENTLY' : `INVALID, and nobody builds it; it costs writes${found.unique ? ', which may fail by it,' : ''} and answers no query`}; run: ${dropConcurrentlySql(found)}`;
}
