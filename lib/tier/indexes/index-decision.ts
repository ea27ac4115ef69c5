import { quoteIdentifier, quoteQualified } from '../database/sql-quoting';
import type { BuildRecord } from './build-history';
import { type CataloguedIndex, qualifiedTable } from './index-catalogue';
import { nameBeside } from './index-names';
import type { ObservedIndex, ObservedTable } from './index-observation';
import { builtBesideComment, reasonToKeep, replacedIn } from './index-ownership';
import { type AcceptedTrial, isAccepted, type Trial } from './index-trial';
import { partitioningProblem } from './partitioned-table';

/** After that many builds of the same definition have died, the next deploy may try again. */
export const mostAttempts = 3;

/** How what has been given up is tried again: CloudFormation calls nobody when the list is what it was. */
export const tryAgain = 'deploy again or, if the list stays as it is, run: npm run indexes -- retry';

/** What is to be done about one index. */
export type Decision =
  /** `as`: under which other name. */
  | { readonly kind: 'valid'; readonly as?: string }
  /** Its table does not exist yet. */
  | { readonly kind: 'deferred' }
  | { readonly kind: 'building'; readonly unfinished: ObservedIndex }
  /** Its table is busy with another build, or with somebody else's work. */
  | { readonly kind: 'waiting' }
  /** Drop the remains of a build that died, or of a change that was given up, and build under a name. */
  | { readonly kind: 'build'; readonly as: string; readonly remains?: ObservedIndex }
  /** An index with the wanted definition stands beside: let it take the name. */
  | { readonly kind: 'swap'; readonly current?: ObservedIndex; readonly replacement: ObservedIndex; readonly aside: string; readonly inTheWay?: ObservedIndex }
  /** Give up; `remains` are dropped first, since inserts would suffer from an INVALID unique index. */
  | { readonly kind: 'failed'; readonly problem: string; readonly remains?: ObservedIndex }
  /** Somebody changed it after it had been VALID. A deploy makes it right; a schedule does not quarrel with people. */
  | { readonly kind: 'drifted'; readonly problem: string };

/** Everything that a decision about an index is made from. */
export interface Evidence {
  readonly index: CataloguedIndex;
  readonly table: ObservedTable | undefined;
  readonly trial: Trial | undefined;
  /** All indexes of the table, and those of other tables that have the name or one beside it. */
  readonly indexes: readonly ObservedIndex[];
  /** What else has which name of the index's schema. */
  readonly taken: ReadonlyMap<string, string>;
  /** Somebody holds the builder's lock of the table. */
  readonly builderLives: boolean;
  readonly record: BuildRecord | undefined;
  readonly generation: number;
  /** Names of the schema that are to be dropped: they stand for no other index. */
  readonly retired: ReadonlySet<string>;
  /** Names of the schema that the catalogue wants: none of them is taken for what stands beside another one. */
  readonly wanted: ReadonlySet<string>;
}

const unindexable: Readonly<Record<string, string>> = { v: 'a view', f: 'a foreign table' };

export function decide(evidence: Evidence): Decision {
  const { index, table, trial, builderLives, retired, wanted } = evidence;
  if (table === undefined) return { kind: 'deferred' };
  if (table.kind in unindexable) return failed(`${qualifiedTable(index)} is ${unindexable[table.kind]}; index the table that it is made from`);
  if (table.locked || trial === undefined || 'busy' in trial) return { kind: 'waiting' };
  if (!isAccepted(trial)) return failed((trial.lacksRight && rightsProblem(index, table)) || trial.problem);

  const { canonical } = trial;
  const indexes = evidence.indexes.filter(({ tableOid }) => tableOid === table.oid);
  const find = (name: string): ObservedIndex | undefined => indexes.find((other) => other.name === name);
  const isWanted = (other: ObservedIndex): boolean => isAsWanted(other, index, canonical);
  const current = find(index.name);
  const beside = find(nameBeside(index.name, 'new'));
  if (current?.valid && isWanted(current)) return { kind: 'valid' };
  const twin = indexes.find((other) => isWanted(other) && other.valid && replacedIn(other) === undefined && other !== beside && !retired.has(other.name));
  if (!current && twin) return { kind: 'valid', as: twin.name };
  if (table.partitioning) return partitioned(index, trial, table.partitioning, current);

  const drift = driftOf(evidence, canonical, current);
  if (drift !== undefined) return { kind: 'drifted', problem: drift };
  if (current && !isWanted(current) && current.constraint !== null) {
    return failed(`${otherDefinition(index, current, canonical)}, and constraint ${current.constraint} stands on it; give the new definition a name of its own`);
  }
  if (builderLives) {
    const unfinished = [beside, current].find((other) => other && !other.valid && isWanted(other));
    return unfinished ? { kind: 'building', unfinished } : { kind: 'waiting' };
  }

  const aside = nameBeside(index.name, 'old');
  const replaced = find(aside);
  const replacement = [beside, replaced].find((other) => other?.valid && isWanted(other) && other.constraint === null && !wanted.has(other.name));
  if (replacement) return swap(evidence, current, replacement, aside, replaced);
  if (current?.valid) {
    const problem = asideProblem(evidence, aside, replaced);
    return problem === undefined ? build(evidence, table, canonical, nameBeside(index.name, 'new'), beside) : failed(problem);
  }
  return build(evidence, table, canonical, index.name, current ?? (beside?.valid ? undefined : beside));
}

/** The index of a deferrable constraint is no unique index: uniqueness is checked later, and no foreign key can refer to it. */
function isAsWanted({ definition, unique, deferrable }: ObservedIndex, index: CataloguedIndex, canonical: string): boolean {
  return definition === canonical && unique === index.unique && !(unique && deferrable);
}

function build(evidence: Evidence, table: ObservedTable, canonical: string, as: string, remains: ObservedIndex | undefined): Decision {
  const { record, generation, index } = evidence;
  const problem = rightsProblem(index, table) ?? takenProblem(evidence, as);
  if (problem !== undefined) return failed(problem);
  const reason = remains?.valid && (reasonToKeep(remains) ?? (remains.comment === builtBesideComment ? undefined : 'rename or drop it'));
  if (remains && reason) return failed(`${remains.name}, under which it would be built beside the old one, is another index: ${reason}`);
  // Theirs would be cancelled by what queues behind it; and an INVALID index is also what a build by hand looks like while it runs.
  if (table.lockedByOthers) return { kind: 'waiting' };
  const attempted = record?.generation === generation && record.definition === wantedDefinition(index.unique, canonical) ? record : undefined;
  if (attempted?.hopeless) return failed(attempted.problem ?? 'its build failed', remains);
  if (attempted && attempted.attempts >= mostAttempts) {
    return failed(`its build died ${attempted.attempts} times; ${attempted.problem ?? 'its session vanished, as in a failover'}; ${tryAgain}`, remains);
  }
  return { kind: 'build', as, ...(remains && { remains }) };
}

function swap(evidence: Evidence, current: ObservedIndex | undefined, replacement: ObservedIndex, aside: string, replaced: ObservedIndex | undefined): Decision {
  const inTheWay = replaced && replaced !== replacement ? replaced : undefined;
  const problem = takenProblem(evidence, evidence.index.name) ?? (current && asideProblem(evidence, aside, inTheWay));
  if (problem !== undefined) return failed(problem);
  return { kind: 'swap', replacement, aside, ...(current && { current }), ...(inTheWay && current && { inTheWay }) };
}

/** Why the old one cannot step aside to a name; undefined if it can. */
function asideProblem(evidence: Evidence, aside: string, inTheWay: ObservedIndex | undefined): string | undefined {
  const taken = takenProblem(evidence, aside);
  if (taken !== undefined || inTheWay === undefined) return taken;
  const reason = reasonToKeep(inTheWay) ?? (replacedIn(inTheWay) === undefined ? 'it is an index of its own; rename it' : undefined);
  return reason && `the old definition would be kept as ${aside}, which exists: ${reason}`;
}

function partitioned(index: CataloguedIndex, trial: AcceptedTrial, partitioning: NonNullable<ObservedTable['partitioning']>, current: ObservedIndex | undefined): Decision {
  if (current && !isAsWanted(current, index, trial.canonical)) {
    return failed(`${otherDefinition(index, current, trial.canonical)}, and ${qualifiedTable(index)} is partitioned; give the new definition a name of its own, and drop the old one by hand`);
  }
  return failed(partitioningProblem(index, trial, partitioning, current?.oid));
}

function rightsProblem(index: CataloguedIndex, { owner, role, mayBuild, mayCreateInSchema }: ObservedTable): string | undefined {
  const table = quoteQualified(index.schema, index.table);
  if (!mayBuild) {
    return `${qualifiedTable(index)} belongs to ${owner}, and role ${role} must have the rights of its owner; run: GRANT ${quoteIdentifier(owner)} TO ${quoteIdentifier(role)}, or ALTER TABLE ${table} OWNER TO a role that it belongs to`;
  }
  if (!mayCreateInSchema) return `role ${role} may not create in schema ${index.schema}; run: GRANT CREATE, USAGE ON SCHEMA ${quoteIdentifier(index.schema)} TO ${quoteIdentifier(role)}`;
  return undefined;
}

/** A name that is needed, and that something else has. */
function takenProblem({ index, table, taken, indexes, wanted }: Evidence, name: string): string | undefined {
  const other = indexes.find((each) => each.name === name && each.schema === index.schema && each.tableOid !== table?.oid);
  const by = name !== index.name && wanted.has(name) ? 'another index of the list' : other ? `an index of ${other.schema}.${other.table}` : taken.get(name);
  if (by === undefined) return undefined;
  return name === index.name ? `its name is taken by ${by}; rename one of them` : `${name}, a name that is needed while its definition changes, is taken by ${by}; rename that`;
}

function driftOf({ record, generation, index }: Evidence, canonical: string, current: ObservedIndex | undefined): string | undefined {
  if (!record?.finished || record.generation !== generation || record.definition !== wantedDefinition(index.unique, canonical)) return undefined;
  const remedy = `to have it built again, ${tryAgain}`;
  if (!current) return `was dropped by somebody; ${remedy}; or remove it from the list`;
  if (isAsWanted(current, index, canonical)) return `has become INVALID; ${remedy}; or run: REINDEX INDEX CONCURRENTLY ${quoteQualified(index.schema, index.name)}`;
  return `was changed by somebody; ${otherDefinition(index, current, canonical)}; ${remedy}; or change the list`;
}

function otherDefinition(index: CataloguedIndex, { definition, unique, deferrable }: ObservedIndex, canonical: string): string {
  return `has "${wantedDefinition(unique, definition)}"${deferrable ? ' of a deferrable constraint' : ''}, wanted is "${wantedDefinition(index.unique, canonical)}"`;
}

/** What is compared and recorded: unique or not, and PostgreSQL's own text. */
export function wantedDefinition(unique: boolean, canonical: string): string {
  return `${unique ? 'UNIQUE ' : ''}${canonical}`;
}

function failed(problem: string, remains?: ObservedIndex): Decision {
  return { kind: 'failed', problem, ...(remains && { remains }) };
}
