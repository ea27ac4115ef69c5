import type { BuildRecord } from './build-history';
import { type CataloguedIndex, qualifiedName } from './index-catalogue';
import { nameBeside } from './index-names';
import type { ObservedIndex, ObservedTable } from './index-observation';
import { isOurs, reasonToKeep, replacedIn } from './index-ownership';
import { isAccepted, type Trial } from './index-trial';

/** After that many builds of the same definition have died, the next deploy may try again. */
export const mostAttempts = 3;

/** What is to be done about one index. */
export type Decision =
  /** `as`: under which other name. */
  | { readonly kind: 'valid'; readonly as?: string }
  /** Its table does not exist yet. */
  | { readonly kind: 'deferred' }
  | { readonly kind: 'building'; readonly oid: string | undefined }
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
  /** All indexes of the table, and the one that has the name. */
  readonly indexes: readonly ObservedIndex[];
  /** What else has the name. */
  readonly taken: string | undefined;
  /** Somebody holds the builder's lock of the table. */
  readonly builderLives: boolean;
  readonly record: BuildRecord | undefined;
  readonly generation: number;
}

export function decide(evidence: Evidence): Decision {
  const { index, table, trial, indexes, taken, builderLives } = evidence;
  if (table === undefined) return { kind: 'deferred' };
  if (table.kind === 'p') return failed(partitionProblem(index, table, trial));
  if (table.kind !== 'r' && table.kind !== 'm') return failed(`${qualifiedTable(index)} is not a table; index the table that it is made from`);
  if (table.locked || trial === undefined || 'busy' in trial) return { kind: 'waiting' };
  if ('problem' in trial) return failed(trial.problem);
  if (taken !== undefined && !indexes.some((other) => isNamed(other, index, index.name))) return failed(`its name is taken by ${taken}; rename one of them`);

  const { canonical } = trial;
  const find = (name: string): ObservedIndex | undefined => indexes.find((other) => isNamed(other, index, name));
  const isWanted = (other: ObservedIndex): boolean => other.tableOid === table.oid && other.definition === canonical && other.unique === index.unique;
  const current = find(index.name);
  if (current && current.tableOid !== table.oid) return failed(`its name is taken by an index of ${current.schema}.${current.table}; rename one of them`);
  if (current?.valid && isWanted(current)) return { kind: 'valid' };

  const beside = find(nameBeside(index.name, 'new'));
  const aside = nameBeside(index.name, 'old');
  const replaced = find(aside);
  const twin = indexes.find((other) => isWanted(other) && other.valid && replacedIn(other) === undefined && other !== beside);
  if (!current && twin) return { kind: 'valid', as: twin.name };
  const drift = driftOf(evidence, canonical, current);
  if (drift !== undefined) return { kind: 'drifted', problem: drift };
  if (current && !isWanted(current) && current.constraint !== null) {
    return failed(`has "${current.definition}", wanted is "${canonical}", and constraint ${current.constraint} stands on it; give the new definition a name of its own`);
  }
  if (builderLives) {
    const unfinished = [beside, current].find((other) => other && !other.valid && isWanted(other));
    return unfinished ? { kind: 'building', oid: unfinished.oid } : { kind: 'waiting' };
  }

  const replacement = [beside, replaced].find((other) => other?.valid && isWanted(other));
  if (replacement) return swap(current, replacement, aside, replaced);
  const mustStand = current?.valid ? beside : (current ?? beside);
  const name = current?.valid ? nameBeside(index.name, 'new') : index.name;
  return build(evidence, table, canonical, name, mustStand);
}

function build({ record, generation, index }: Evidence, table: ObservedTable, canonical: string, as: string, remains: ObservedIndex | undefined): Decision {
  if (!table.mayBuild) {
    return failed(`${qualifiedTable(index)} belongs to ${table.owner}, and role ${table.role} must have the rights of its owner; run: GRANT ${table.owner} TO ${table.role}, or ALTER TABLE ${qualifiedTable(index)} OWNER TO a role that it belongs to`);
  }
  if (remains?.valid && !isOurs(remains)) return failed(`${remains.name}, under which it would be built beside the old one, is another index; rename or drop that`);
  // An INVALID index is also what a build by hand looks like while it runs.
  if (remains && table.lockedByOthers) return { kind: 'waiting' };
  const attempted = record?.generation === generation && record.definition === wantedDefinition(index.unique, canonical) ? record : undefined;
  if (attempted?.hopeless) return failed(attempted.problem ?? 'its build failed', remains);
  if (attempted && attempted.attempts >= mostAttempts) {
    return failed(`its build died ${attempted.attempts} times; ${attempted.problem ?? 'its session vanished, as in a failover'}; deploy again to have it tried again`, remains);
  }
  return { kind: 'build', as, ...(remains && { remains }) };
}

function swap(current: ObservedIndex | undefined, replacement: ObservedIndex, aside: string, replaced: ObservedIndex | undefined): Decision {
  const inTheWay = replaced && replaced !== replacement ? replaced : undefined;
  const reason = inTheWay && current && reasonToKeep(inTheWay);
  if (reason) return failed(`the old definition would be kept as ${aside}, which exists: ${reason}`);
  return { kind: 'swap', replacement, aside, ...(current && { current }), ...(inTheWay && current && { inTheWay }) };
}

function driftOf({ record, generation, index }: Evidence, canonical: string, current: ObservedIndex | undefined): string | undefined {
  if (!record?.finished || record.generation !== generation || record.definition !== wantedDefinition(index.unique, canonical)) return undefined;
  if (!current) return 'was dropped by somebody; the next deploy builds it again, or remove it from the list';
  if (current.definition === canonical && current.unique === index.unique) return `has become INVALID; the next deploy builds it again, or run: REINDEX INDEX CONCURRENTLY ${qualifiedName(index)}`;
  return `was changed by somebody to "${current.definition}"; the next deploy builds "${canonical}" again, or change the list`;
}

/** What is compared and recorded: unique or not, and PostgreSQL's own text. */
export function wantedDefinition(unique: boolean, canonical: string): string {
  return `${unique ? 'UNIQUE ' : ''}${canonical}`;
}

export function qualifiedTable({ schema, table }: CataloguedIndex): string {
  return `${schema}.${table}`;
}

function partitionProblem(index: CataloguedIndex, { partitionKey }: ObservedTable, trial: Trial | undefined): string {
  const { name, schema, unique } = index;
  const definition = isAccepted(trial) ? trial.canonical : index.definition;
  const create = `CREATE ${unique ? 'UNIQUE ' : ''}INDEX`;
  const table = qualifiedTable(index);
  return [
    `${table} is partitioned by ${partitionKey}, and PostgreSQL cannot build an index on it concurrently`,
    ...(unique ? ['a unique index on it must contain the partition key'] : []),
    `run by hand: ${create} ${name} ON ONLY ${table} ${definition}; then, for each partition, ${create} CONCURRENTLY name_of_partition ON partition ${definition} and ALTER INDEX ${schema}.${name} ATTACH PARTITION name_of_partition`,
  ].join('; ');
}

function isNamed(other: ObservedIndex, { schema }: CataloguedIndex, name: string): boolean {
  return other.schema === schema && other.name === name;
}

function failed(problem: string, remains?: ObservedIndex): Decision {
  return { kind: 'failed', problem, ...(remains && { remains }) };
}
