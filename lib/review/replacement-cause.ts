import { referencedIds } from '../assembly/template';
import { type EnvironmentComparison, templateOf } from './comparison';
import type { ResourceChange } from './stack-comparison';

/** A reference to something that is replaced, as AWS's library and `markReplaced` write it. */
const replacedReference = /([A-Za-z0-9]+) ?\(replaced\)/g;

/**
 * The resource whose replacement is all that changes another one, through however many in between; undefined for a
 * change with a cause of its own.
 */
export function causeOf(change: ResourceChange, { stacks }: EnvironmentComparison): string | undefined {
  const causes = replacedReferences(change);
  if (causes.length === 0) return undefined;
  const visited = new Set([change.logicalId]);
  const changes = stacks.flatMap((stack) => stack.changes);
  const outputs = stacks.flatMap((stack) => Object.entries(templateOf(stack, 'after').Outputs ?? {}));
  const toRoot = (name: string): string => {
    const output = outputs.find(([outputName]) => outputName === name);
    const logicalId = output ? (referencedIds(output[1].Value)[0] ?? name) : name;
    const cause = changes.find((candidate) => candidate.logicalId === logicalId);
    const next = cause && !visited.has(logicalId) ? replacedReferences(cause)[0] : undefined;
    visited.add(logicalId);
    return next === undefined ? logicalId : toRoot(next);
  };
  return toRoot(causes[0]!);
}

/** Ids of what is replaced, if references to it are the only differences. */
function replacedReferences({ kind, properties, attributes }: ResourceChange): readonly string[] {
  if (kind !== 'changed' || attributes.length > 0 || properties.length === 0) return [];
  const ids: string[] = [];
  for (const { before, after } of properties) {
    const text = JSON.stringify(after) ?? '';
    ids.push(...[...text.matchAll(replacedReference)].map(([, id]) => id!));
    if (text.replace(replacedReference, '$1') !== JSON.stringify(before)) return [];
  }
  return ids;
}
