import type { JudgeContext } from '../comparison';
import { describeValue, leafChanges } from '../describe-value';
import type { Judgement } from '../impact';
import { kindOfType } from '../resource-types';
import type { ResourceChange, ValueChange } from '../stack-comparison';

/** Judges one change; several findings, or none where another judge must speak. */
export type Judge = (change: ResourceChange, context: JudgeContext) => readonly Judgement[];

/** Properties that only describe. */
const descriptive: ReadonlySet<string> = new Set(['Tags', 'TagList', 'Description', 'LoadBalancerAttributes', 'TargetGroupAttributes', 'HealthCheckIntervalSeconds', 'HealthCheckTimeoutSeconds', 'HealthyThresholdCount', 'UnhealthyThresholdCount']);

/** What is said of a change that no other judge knows: by the kind of its type, and the worst where that is unknown. */
export const judgeGenerically: Judge = (change) => {
  const kind = kindOfType(change.type);
  const what = `${change.kind}${change.properties.length > 0 ? `: ${describeProperties(change.properties)}` : ''}`;
  if (change.kind === 'added') return [{ section: 'rest', impact: 'no interruption', what, atDeploy: 'made' }];
  const gone = change.kind === 'removed' || change.replacement === 'always' || (change.replacement === 'maybe' && kind !== 'quiet');
  if (kind === 'quiet') return [{ section: 'rest', impact: 'no interruption', what, atDeploy: change.replacement === 'always' ? 'replaced by a new one; nothing is kept in it' : change.kind }];
  if (kind === 'serving') return [serving(change, gone, what)];
  if (gone) return [{ section: 'state', impact: 'data loss', what, atDeploy: `${change.type} is not known to this review: it may hold something that goes with it` }];
  if (onlyDescribes(change)) return [{ section: 'rest', impact: 'no interruption', what, atDeploy: 'changed in place' }];
  return [{ section: 'rest', impact: 'downtime', what, atDeploy: `${change.type} is not known to this review: the change may interrupt whoever uses it` }];
};

function serving({ kind, type, properties }: ResourceChange, gone: boolean, what: string): Judgement {
  if (gone) {
    const atDeploy = type === 'AWS::SSM::Parameter' ? 'an application that reads it does not find it at its next start' : kind === 'removed' ? 'connections through it end' : 'replaced by a new one: connections through it end, and names or addresses change';
    return { section: 'rest', impact: 'downtime', what, atDeploy };
  }
  if (onlyDescribes({ properties }) || type === 'AWS::SSM::Parameter') return { section: 'rest', impact: 'no interruption', what, atDeploy: 'changed in place' };
  return { section: 'rest', impact: 'downtime', what, atDeploy: 'changed in place: connections through it may break' };
}

function onlyDescribes({ properties }: Pick<ResourceChange, 'properties'>): boolean {
  return properties.every(({ name }) => descriptive.has(name));
}

/** Each property with its values before and after, as deep as they differ. */
export function describeProperties(properties: readonly ValueChange[]): string {
  return properties.map(describeProperty).join('; ');
}

export function describeProperty({ name, before, after }: ValueChange): string {
  if (name === 'DashboardBody') return name; // thousands of characters that nobody reads in a diff
  return leafChanges(before, after, name)
    .map((leaf) => `${leaf.path} ${arrow(leaf.before, leaf.after)}`)
    .join('; ');
}

/** `before → after`, each cut where it is long. */
export function arrow(before: unknown, after: unknown): string {
  return `${short(describeValue(before))} → ${short(describeValue(after))}`;
}

function short(text: string): string {
  return text.length > 160 ? `${text.slice(0, 157)}…` : text;
}
