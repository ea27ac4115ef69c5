import type { EnvironmentComparison } from './comparison';
import { leafChanges } from './describe-value';
import type { ResourceChange } from './stack-comparison';
import { isReplica } from './judges/tier-parts';
import { kindOfType } from './resource-types';

/**
 * Pairs what holds state and is removed with what is added of the same type, over all stacks: to CloudFormation, a new
 * id is another resource. Each stands for the other in the map.
 */
export function findRenames({ stacks }: EnvironmentComparison): ReadonlyMap<ResourceChange, ResourceChange> {
  const changes = stacks.flatMap((stack) => stack.changes).filter(({ type }) => kindOfType(type) !== 'quiet');
  const removed = changes.filter(({ kind }) => kind === 'removed');
  const added = new Set(changes.filter(({ kind }) => kind === 'added'));
  const pairs = new Map<ResourceChange, ResourceChange>();
  for (const old of removed) {
    const heirs = [...added].filter(({ type, after }) => type === old.type && isReplica(after) === isReplica(old.before));
    const heir = heirs.sort((a, b) => unlike(old, a) - unlike(old, b))[0];
    if (!heir) continue;
    added.delete(heir);
    pairs.set(old, heir).set(heir, old);
  }
  return pairs;
}

function unlike(old: ResourceChange, heir: ResourceChange): number {
  return leafChanges(old.before?.Properties, heir.after?.Properties).length;
}
