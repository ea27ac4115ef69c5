import { type JudgeContext, referencesOver, resourcesOfType } from '../comparison';
import { describeValue } from '../describe-value';
import type { Judgement } from '../impact';
import { contentOf } from '../resource-types';
import type { ResourceChange } from '../stack-comparison';
import { describeProperty, type Judge } from './generic';
import { isReplica, poolerAliases } from './tier-parts';

/** Judges what holds state when it comes, goes, or is replaced. Says nothing of a change in place. */
export const judgeState: Judge = (change, context) => {
  if (isReplica(change.after ?? change.before)) return replica(change, context);
  if (change.kind === 'added') {
    const what = context.counterpart ? `new and empty, under another id than ${context.counterpart.name} (${context.counterpart.logicalId})` : 'added';
    return [{ section: 'state', impact: 'no interruption', what, atDeploy: context.counterpart ? 'made empty' : 'made' }];
  }
  if (change.kind === 'removed') return [logWithItsWriters(change, context) ?? removed(change, context)];
  return change.replacement === 'always' ? [replaced(change)] : [];
};

const logWriters: ReadonlySet<string> = new Set(['AWS::Lambda::Function', 'AWS::ECS::TaskDefinition', 'AWS::EC2::FlowLog', 'AWS::StepFunctions::StateMachine']);

/** A log that leaves together with all that wrote it was never meant to outlive them. One that is taken from under its writers is lost. */
function logWithItsWriters({ logicalId, type, before, name }: ResourceChange, { comparison, counterpart, stack }: JudgeContext): Judgement | undefined {
  if (type !== 'AWS::Logs::LogGroup' || counterpart) return undefined;
  const writers = [...logWriters].flatMap((writer) => resourcesOfType(comparison, 'before', writer)).filter(([, { Properties }]) => referencesOver(comparison, 'before', Properties).includes(logicalId));
  const remaining = writers.filter(([id]) => [...logWriters].some((writer) => resourcesOfType(comparison, 'after', writer).some(([other]) => other === id)));
  if (writers.length === 0 || remaining.length > 0) return undefined;
  const gone = writers.map(([id]) => stack.changes.find((change) => change.logicalId === id)?.name ?? id).join(', ');
  const fate = before?.DeletionPolicy === 'Retain' ? 'its lines stay, in nobody’s care' : `its lines are deleted, which would have ended after ${describeValue(before?.Properties?.['RetentionInDays'])} days; export what an audit still asks for`;
  return { section: 'state', impact: 'no interruption', what: `log removed together with ${gone}, which alone wrote ${name}`, atDeploy: fate };
}

function removed({ type, before }: ResourceChange, { counterpart }: JudgeContext): Judgement {
  const kept = before?.DeletionPolicy === 'Retain' || before?.DeletionPolicy === 'RetainExceptOnCreate';
  const snapshot = before?.DeletionPolicy === 'Snapshot' ? ' after a last snapshot' : '';
  if (counterpart) {
    const fate = kept ? 'the old one is left behind, full and in nobody’s care' : `the old one is deleted${snapshot}, with ${contentOf(type)}`;
    return { section: 'state', impact: 'data loss', what: `renamed to ${counterpart.name} (${counterpart.logicalId}): a delete and a create`, atDeploy: `the new one is made empty; ${fate}. Keep the id, or move it with "cdk refactor"` };
  }
  if (kept) return { section: 'state', impact: 'downtime', what: 'removed, and kept by its deletion policy', atDeploy: 'no longer part of the stack: what needs it fails; nothing is deleted' };
  return { section: 'state', impact: 'data loss', what: 'removed', atDeploy: `deleted${snapshot}, with ${contentOf(type)}` };
}

function replaced({ type, properties, before, after }: ResourceChange): Judgement {
  const causes = properties.filter(({ replacement }) => replacement === 'always');
  const kept = before?.UpdateReplacePolicy === 'Retain' ? 'the old one is left behind' : before?.UpdateReplacePolicy === 'Snapshot' ? 'the old one is deleted after a last snapshot' : `the old one is deleted, with ${contentOf(type)}`;
  const name = after?.Properties?.['DBInstanceIdentifier'];
  const taken = name !== undefined && JSON.stringify(name) === JSON.stringify(before?.Properties?.['DBInstanceIdentifier']) ? ` As long as the name ${JSON.stringify(name)} stays, the deploy fails instead.` : '';
  return { section: 'state', impact: 'data loss', what: `replaced: ${causes.map(describeProperty).join('; ')}`, atDeploy: `a new one is made empty; ${kept}.${taken}` };
}

/** A replica holds nothing that its source does not; what it carries is the read-only alias. */
function replica(change: ResourceChange, context: JudgeContext): readonly Judgement[] {
  if (change.kind === 'added') {
    return [{ section: 'state', impact: 'no interruption', what: 'read replica added', atDeploy: 'made from a snapshot of the primary, which takes from minutes to hours with the size; then the pooler sends readers to it' }];
  }
  if (change.kind === 'changed' && change.replacement !== 'always') return [];
  const what = change.kind === 'removed' ? (context.counterpart ? `read replica renamed to ${context.counterpart.name}` : 'read replica removed') : `read replica replaced: ${change.properties.filter(({ replacement }) => replacement === 'always').map(describeProperty).join('; ')}`;
  const users = poolerAliases(context.comparison, 'before').filter(({ value }) => referencesOver(context.comparison, 'before', value).includes(change.logicalId));
  if (users.length === 0) return [{ section: 'state', impact: 'no interruption', what, atDeploy: 'deleted; the pooler sends nobody to it' }];
  const left = resourcesOfType(context.comparison, 'after', 'AWS::RDS::DBInstance').filter(([id, resource]) => isReplica(resource) && id !== change.logicalId && resourcesOfType(context.comparison, 'before', 'AWS::RDS::DBInstance').some(([known]) => known === id));
  const who = users.map(({ alias }) => alias).join(' and ');
  return [
    {
      section: 'state',
      impact: 'downtime',
      what,
      atDeploy: `deleted while the pooler still sends readers of ${who} to it${left.length === 0 ? ', and no other replica is there' : ''}. Two steps: deploy it as retiring first, remove it then`,
    },
  ];
}
