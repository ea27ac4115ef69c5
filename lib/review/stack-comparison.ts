import { fullDiff, type ResourceDifference, ResourceImpact, type TemplateDiff } from '@aws-cdk/cloudformation-diff';

import type { AssemblyStack } from '../assembly/environment-assembly';
import type { Resource, Template } from '../assembly/template';
import { markReplaced } from './mark-replaced';

/** Whether CloudFormation makes a new resource instead of changing the one that is there. */
export type Replacement = 'never' | 'maybe' | 'always';

/** One property, or one attribute of the resource like its DeletionPolicy. */
export interface ValueChange {
  readonly name: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly replacement: Replacement;
}

/** What happens to one resource. */
export interface ResourceChange {
  readonly logicalId: string;
  readonly type: string;
  /** Path of its construct below the stack, without CDK's own last part. */
  readonly name: string;
  readonly kind: 'added' | 'removed' | 'changed';
  readonly replacement: Replacement;
  readonly before?: Resource;
  readonly after?: Resource;
  readonly properties: readonly ValueChange[];
  /** DeletionPolicy, UpdateReplacePolicy, DependsOn, Metadata, … */
  readonly attributes: readonly ValueChange[];
}

/** One stack in two revisions. */
export interface StackComparison {
  readonly environment: string;
  readonly stackName: string;
  readonly before?: AssemblyStack;
  readonly after?: AssemblyStack;
  readonly changes: readonly ResourceChange[];
  /** Outputs that were added, changed or removed. */
  readonly outputs: readonly ValueChange[];
  /** Parts of the template that are neither resources nor outputs. */
  readonly others: readonly ValueChange[];
}

const nothing: Template = { Resources: {} };

/**
 * Compares a stack with AWS's own library, which knows what CloudFormation replaces.
 *
 * @param replacedOutputs outputs of other stacks that will have another value
 */
export function compareStack(environment: string, before: AssemblyStack | undefined, after: AssemblyStack | undefined, replacedOutputs: ReadonlySet<string> = new Set()): StackComparison {
  const diff = diffThrough(before?.template ?? nothing, after?.template ?? nothing, replacedOutputs);
  const changes: ResourceChange[] = [];
  diff.resources.forEachDifference((logicalId, difference) => {
    if (difference.isDifferent) changes.push(...resourceChanges(logicalId, difference));
  });
  const outputs: ValueChange[] = [];
  diff.outputs.forEachDifference((name, { oldValue, newValue }) => {
    outputs.push({ name, before: oldValue as unknown, after: newValue as unknown, replacement: 'never' });
  });
  const others: ValueChange[] = [];
  for (const collection of [diff.parameters, diff.conditions, diff.mappings, diff.metadata, diff.unknown]) {
    collection.forEachDifference((name: string, { oldValue, newValue }: { oldValue?: unknown; newValue?: unknown }) => {
      others.push({ name, before: oldValue, after: newValue, replacement: 'never' });
    });
  }
  for (const [name, difference] of Object.entries({ Description: diff.description, Transform: diff.transform })) {
    if (difference?.isDifferent) others.push({ name, before: difference.oldValue, after: difference.newValue, replacement: 'never' });
  }
  return { environment, stackName: (after ?? before)!.stackName, before, after, changes, outputs, others };
}

/**
 * The library follows a replacement only to what is replaced in turn; what is changed in place by it is found by a
 * second look, with every reference to something replaced written as another value.
 */
function diffThrough(before: Template, after: Template, outputs: ReadonlySet<string>): TemplateDiff {
  const marked = markReplaced(after, { logicalIds: new Set(), outputs }) as Template;
  const diff = fullDiff({ ...before }, { ...marked });
  const logicalIds = new Set(diff.resources.logicalIds.filter((logicalId) => diff.resources.get(logicalId).changeImpact === ResourceImpact.WILL_REPLACE));
  return logicalIds.size === 0 ? diff : fullDiff({ ...before }, { ...(markReplaced(marked, { logicalIds, outputs: new Set() }) as Template) });
}

/** A resource whose type changes is another resource: removed, and added. */
function resourceChanges(logicalId: string, difference: ResourceDifference): readonly ResourceChange[] {
  const before = difference.oldValue as Resource | undefined;
  const after = difference.newValue as Resource | undefined;
  const one = (kind: ResourceChange['kind'], resource: Resource): ResourceChange => ({
    logicalId,
    type: resource.Type,
    name: constructName(logicalId, resource),
    kind,
    replacement: 'never',
    ...(kind !== 'added' && { before }),
    ...(kind !== 'removed' && { after }),
    properties: [],
    attributes: [],
  });
  if (difference.resourceTypeChanged && before && after) return [one('removed', before), one('added', after)];
  if (!before && after) return [one('added', after)];
  if (before && !after) return [one('removed', before)];
  const properties = Object.entries(difference.propertyUpdates).map(
    ([name, change]): ValueChange => ({ name, before: change.oldValue as unknown, after: change.newValue as unknown, replacement: replacements[change.changeImpact ?? ResourceImpact.NO_CHANGE] ?? 'never' }),
  );
  const attributes = Object.entries(difference.otherChanges)
    .filter(([name]) => name !== 'Type')
    .map(([name, change]): ValueChange => ({ name, before: change.oldValue as unknown, after: change.newValue as unknown, replacement: 'never' }));
  return [{ ...one('changed', after!), replacement: replacements[difference.changeImpact] ?? 'never', properties, attributes }];
}

const replacements: Readonly<Partial<Record<ResourceImpact, Replacement>>> = {
  [ResourceImpact.MAY_REPLACE]: 'maybe',
  [ResourceImpact.WILL_REPLACE]: 'always',
};

function constructName(logicalId: string, { Metadata }: Resource): string {
  const path = Metadata?.['aws:cdk:path'];
  if (typeof path !== 'string') return logicalId;
  const parts = path.split('/').slice(2);
  while (parts.length > 1 && (parts.at(-1) === 'Resource' || parts.at(-1) === 'Default')) parts.pop();
  return parts.join('/');
}
