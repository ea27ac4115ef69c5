import type { Client } from 'pg';

import { type BuildHistory, type RecordedBuild, readHistory } from './build-history';
import { type CataloguedIndex, type IndexCatalogue, qualifiedName } from './index-catalogue';
import { type Decision, decide, wantedDefinition } from './index-decision';
import { isReindexLeftoverOf, nameBeside } from './index-names';
import { observe, type ObservedIndex, type ObservedTable } from './index-observation';
import { isOurs, reasonToKeep, replacedIn } from './index-ownership';
import { isAccepted, type Trial, tryDefinition } from './index-trial';

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
  /** Retired indexes that still exist, and why one of them cannot be dropped. */
  readonly retired: readonly { readonly index: ObservedIndex; readonly problem: string | undefined }[];
  /** Indexes that a change replaced, in an earlier deploy. */
  readonly replaced: readonly ObservedIndex[];
  /** INVALID remains that nobody here made, with the statement that drops them. */
  readonly leftovers: readonly string[];
  /** Indexes of the catalogue's tables that are INVALID though nobody builds there. */
  readonly invalid: readonly string[];
  readonly history: BuildHistory;
  /** Bytes of every index that was seen, by `schema.name`. */
  readonly sizes: ReadonlyMap<string, number>;
}

/** Looks at a database and judges every index of a catalogue. */
export class IndexSurveyor {
  /** A definition is tried once: the shadow tables of every look would bloat the catalog. */
  private readonly trials = new Map<CataloguedIndex, Trial>();

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
      const trial = table && !table.locked ? await this.trialOf(session, index) : undefined;
      const decision = decide({
        index,
        table,
        trial,
        indexes: seen.indexes.filter(({ tableOid, schema, name }) => tableOid === table?.oid || (schema === index.schema && name === index.name)),
        taken: seen.taken.get(qualifiedName(index)),
        builderLives: seen.busyTables.has(table?.oid ?? ''),
        record: history.get(qualifiedName(index)),
        generation: this.generation,
      });
      judged.push({ index, table, trial, decision });
    }
    const isRetired = (found: ObservedIndex): boolean => retired.some((wanted) => qualifiedName(wanted) === qualifiedName(found));
    return {
      database: seen.database,
      judged,
      busyTables: seen.busyTables,
      retired: seen.indexes.filter(isRetired).map((index) => ({ index, problem: reasonToKeep(index) })),
      replaced: seen.indexes.filter((found) => this.isSpent(found, history) && !judged.some(({ decision }) => decision.kind === 'valid' && decision.as === found.name)),
      leftovers: seen.indexes
        .filter((found) => !found.valid && indexes.some((index) => index.schema === found.schema && isReindexLeftoverOf(index.name, found.name)))
        .map(({ schema, name }) => `${name}: left INVALID by a REINDEX CONCURRENTLY; if none runs, run: DROP INDEX CONCURRENTLY ${schema}.${name}`),
      invalid: seen.indexes.filter(({ valid, tableOid }) => !valid && !seen.busyTables.has(tableOid)).map(({ name }) => name),
      history,
      sizes: new Map(seen.indexes.map((found) => [qualifiedName(found), found.bytes])),
    };
  }

  /** What is recorded of a build. */
  recordOf({ index, trial }: JudgedIndex): RecordedBuild | undefined {
    if (!isAccepted(trial)) return undefined;
    return { index, definition: wantedDefinition(index.unique, trial.canonical), generation: this.generation };
  }

  /** Replaced in an earlier deploy than the accepted one, or built for a change that was given up since. */
  private isSpent(found: ObservedIndex, history: BuildHistory): boolean {
    if (!isOurs(found) || reasonToKeep(found) !== undefined) return false;
    const replaced = replacedIn(found);
    if (replaced !== undefined) return replaced < this.generation;
    const owner = this.catalogue.indexes.find(({ schema, name }) => schema === found.schema && nameBeside(name, 'new') === found.name);
    return owner !== undefined && (history.get(qualifiedName(owner))?.finished ?? false);
  }

  private async trialOf(session: Client, index: CataloguedIndex): Promise<Trial> {
    const known = this.trials.get(index);
    if (known) return known;
    const trial = await tryDefinition(session, index);
    if (!('busy' in trial)) this.trials.set(index, trial);
    return trial;
  }
}
