import type { Resource } from '../../assembly/template';
import { referencedIds } from '../../assembly/template';
import type { Judgement } from '../impact';
import { describeProperty, type Judge } from './generic';
import type { ValueChange } from '../stack-comparison';

const say = (what: string, atDeploy: string): Judgement => ({ section: 'alarms', impact: 'no interruption', what, atDeploy });

/** Judges an alarm: removed, loosened, or anything else. */
export const judgeAlarm: Judge = (change, { stack }) => {
  if (change.kind === 'added') return [say('alarm added', 'watches from now on')];
  if (change.kind === 'removed') {
    const heir = stack.changes.find(({ kind, type, after }) => kind === 'added' && type === change.type && JSON.stringify(watched(after)) === JSON.stringify(watched(change.before)));
    return [heir ? say(`alarm renamed to ${heir.name}`, 'watches the same; its history begins anew') : say('alarm removed', 'nobody is told any more')];
  }
  return change.properties.map((property) => {
    if (property.name === 'AlarmDescription') return { ...say('its description', 'said otherwise'), section: 'rest' };
    const reason = loosened(property, change.after);
    return say(`${reason ? 'loosened: ' : ''}${describeProperty(property)}`, reason ?? 'changed in place');
  });
};

function watched(resource: Resource | undefined): unknown {
  return Object.entries(resource?.Properties ?? {}).filter(([name]) => !['AlarmName', 'AlarmDescription', 'Tags'].includes(name));
}

/** Why a change makes an alarm speak later or not at all; undefined if it does not. */
function loosened({ name, before, after }: ValueChange, alarm: Resource | undefined): string | undefined {
  const below = String(alarm?.Properties?.['ComparisonOperator']).startsWith('Less');
  switch (name) {
    case 'Threshold':
      return Number(after) > Number(before) === below || Number(after) === Number(before) ? undefined : 'more must go wrong before anybody is told';
    case 'EvaluationPeriods':
    case 'DatapointsToAlarm':
    case 'Period':
      return Number(after ?? 0) > Number(before ?? 0) ? 'it must go wrong for longer before anybody is told' : undefined;
    case 'TreatMissingData':
      return before === 'breaching' ? 'silence is no longer an alarm' : undefined;
    case 'ActionsEnabled':
      return after === false || after === 'false' ? 'nobody is told any more' : undefined;
    case 'AlarmActions':
      return (Array.isArray(after) ? after.length : 0) < (Array.isArray(before) ? before.length : 0) ? 'fewer are told' : undefined;
    case 'AlarmRule':
      return referencedIds(before).some((id) => !referencedIds(after).includes(id)) ? 'it listens to fewer alarms' : undefined;
    case 'Statistic':
    case 'ExtendedStatistic':
    case 'ComparisonOperator':
    case 'MetricName':
    case 'Namespace':
    case 'Dimensions':
    case 'Metrics':
    case 'Unit':
      return 'it watches something else: see that a fault still reaches the threshold';
    default:
      return undefined;
  }
}

/** Judges what alarms live on: filters, and who is told. */
export const judgeAlarmSource: Judge = ({ kind, properties, type }) => {
  const name = type.split('::').at(-1)!;
  if (kind === 'added') return [say(`${name} added`, 'made')];
  if (kind === 'removed') return [say(`${name} removed`, type === 'AWS::SNS::Subscription' ? 'they are told nothing any more' : 'alarms that live on it fall silent')];
  return [say(properties.map(describeProperty).join('; '), 'see that alarms still get what they live on')];
};

/** Judges a log group in place. */
export const judgeLogGroup: Judge = ({ kind, properties, replacement }) => {
  if (kind !== 'changed' || replacement === 'always') return [];
  return properties.map((property): Judgement => {
    const what = describeProperty(property);
    if (property.name === 'RetentionInDays') return { section: 'state', impact: 'no interruption', what, atDeploy: property.after === undefined || Number(property.after) > Number(property.before) ? 'lines are kept longer' : 'older lines are deleted' };
    if (property.name === 'KmsKeyId') return { section: 'security', impact: 'no interruption', what, atDeploy: 'new lines are encrypted otherwise' };
    return { section: 'rest', impact: 'no interruption', what, atDeploy: 'changed in place' };
  });
};
