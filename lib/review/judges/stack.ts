import type { Judgement } from '../impact';
import type { StackComparison, ValueChange } from '../stack-comparison';
import { arrow, describeProperty } from './generic';

/** Judges what changes of a stack besides its resources. */
export function judgeStack({ before, after, outputs, others }: StackComparison): readonly Judgement[] {
  return [...whole(before, after), ...outputs.map(output), ...others.map(other)];
}

function whole(before: StackComparison['before'], after: StackComparison['after']): readonly Judgement[] {
  if (!before) return [{ section: 'rest', impact: 'no interruption', what: 'stack added', atDeploy: 'everything in it is made' }];
  if (!after) {
    return [{ section: 'state', impact: 'data loss', what: 'stack no longer in the app', atDeploy: 'cdk deploy leaves it as it is, in nobody’s care; a stack under another name begins empty. "cdk destroy" deletes what has no RETAIN' }];
  }
  const judgements: Judgement[] = [];
  if (before.terminationProtection && !after.terminationProtection) {
    judgements.push({ section: 'state', impact: 'no interruption', what: 'termination protection off', atDeploy: 'from now on one call deletes the stack' });
  }
  if (!before.terminationProtection && after.terminationProtection) {
    judgements.push({ section: 'state', impact: 'no interruption', what: 'termination protection on', atDeploy: 'from now on the stack cannot be deleted by mistake' });
  }
  if (before.target !== after.target) {
    judgements.push({ section: 'state', impact: 'data loss', what: `account or region ${arrow(before.target, after.target)}`, atDeploy: 'a second stack is made there, empty; this one stays where it is, in nobody’s care' });
  }
  return judgements;
}

function output(change: ValueChange): Judgement {
  const internal = change.name.startsWith('PublishOutput');
  const what = `output ${describeProperty(change)}`;
  if (change.after === undefined && !internal) return { section: 'rest', impact: 'downtime', what, atDeploy: 'whoever reads it does not find it any more' };
  return { section: 'rest', impact: 'no interruption', what, atDeploy: internal ? 'read by the other stack' : 'read by people and pipelines' };
}

function other(change: ValueChange): Judgement {
  return { section: 'rest', impact: 'no interruption', what: describeProperty(change), atDeploy: 'part of the template, not of what runs' };
}
