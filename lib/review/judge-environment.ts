import { indexesResourceType } from '../tier/indexes/indexes.contract';
import { rolesResourceType } from '../tier/roles/roles.contract';
import { smokeCheckResourceType } from '../tier/smoke-check/smoke-check.contract';
import type { EnvironmentComparison } from './comparison';
import { type Finding, impacts, type Judgement, sections } from './impact';
import { judgeAlarm, judgeAlarmSource, judgeLogGroup } from './judges/alarms';
import { describeProperty, type Judge, judgeGenerically } from './judges/generic';
import { judgeIndexes } from './judges/indexes';
import { judgeFunction } from './judges/functions';
import { judgeInstance, judgeSubnetGroup } from './judges/instance';
import { judgeParameterGroup } from './judges/parameters';
import { judgeScaling, judgeService, judgeTaskDefinition } from './judges/pooler';
import { judgeKey, judgePermissions, judgeRotation, judgeSecret, judgeSecurityGroupRule } from './judges/security';
import { judgeRoles, judgeSmokeCheck } from './judges/custom-resources';
import { judgeStack } from './judges/stack';
import { judgeState } from './judges/state';
import { causeOf } from './replacement-cause';
import { findRenames } from './renames';
import { kindOfType } from './resource-types';
import type { ResourceChange, ValueChange } from './stack-comparison';

/** Who judges a type of resource; every other one is judged generically. */
const judges: Readonly<Record<string, Judge>> = {
  'AWS::RDS::DBInstance': judgeInstance,
  'AWS::RDS::DBParameterGroup': judgeParameterGroup,
  'AWS::RDS::DBSubnetGroup': judgeSubnetGroup,
  'AWS::KMS::Key': judgeKey,
  'AWS::SecretsManager::Secret': judgeSecret,
  'AWS::SecretsManager::RotationSchedule': judgeRotation,
  'AWS::IAM::Policy': judgePermissions,
  'AWS::IAM::ManagedPolicy': judgePermissions,
  'AWS::IAM::Role': judgePermissions,
  'AWS::SNS::TopicPolicy': judgePermissions,
  'AWS::SecretsManager::ResourcePolicy': judgePermissions,
  'AWS::Lambda::Permission': judgePermissions,
  'AWS::EC2::SecurityGroup': judgeSecurityGroupRule,
  'AWS::EC2::SecurityGroupIngress': judgeSecurityGroupRule,
  'AWS::EC2::SecurityGroupEgress': judgeSecurityGroupRule,
  'AWS::Lambda::Function': judgeFunction,
  'AWS::ECS::TaskDefinition': judgeTaskDefinition,
  'AWS::ECS::Service': judgeService,
  'AWS::ApplicationAutoScaling::ScalableTarget': judgeScaling,
  'AWS::ApplicationAutoScaling::ScalingPolicy': judgeScaling,
  'AWS::CloudWatch::Alarm': judgeAlarm,
  'AWS::CloudWatch::CompositeAlarm': judgeAlarm,
  'AWS::Logs::MetricFilter': judgeAlarmSource,
  'AWS::SNS::Subscription': judgeAlarmSource,
  'AWS::SNS::Topic': judgeAlarmSource,
  'AWS::Logs::LogGroup': judgeLogGroup,
  [indexesResourceType]: judgeIndexes,
  [rolesResourceType]: judgeRoles,
  [smokeCheckResourceType]: judgeSmokeCheck,
};

/** Everything that changes in an environment, worst first within each section. No change goes without a finding. */
export function judgeEnvironment(comparison: EnvironmentComparison): readonly Finding[] {
  const renames = findRenames(comparison);
  const findings = comparison.stacks.flatMap((stack) => {
    const place = { environment: comparison.environment, stack: stack.stackName };
    const ofStack = judgeStack(stack).map((judgement): Finding => ({ ...place, logicalId: stack.stackName, resourceType: 'AWS::CloudFormation::Stack', name: 'the stack', ...judgement }));
    const ofResources = stack.changes.flatMap((change) => {
      const counterpart = renames.get(change);
      const judgements = judgeResource(change, { comparison, stack, ...(counterpart && { counterpart }) });
      const follows = causeOf(change, comparison);
      return judgements.map((judgement): Finding => ({ ...place, logicalId: change.logicalId, resourceType: change.type, name: change.name, ...judgement, ...(follows && { follows }) }));
    });
    return [...ofStack, ...ofResources];
  });
  return [...findings].sort(worstFirst);
}

function judgeResource(change: ResourceChange, context: Parameters<Judge>[1]): readonly Judgement[] {
  const holdsState = kindOfType(change.type) === 'stateful';
  const ofState = holdsState ? judgeState(change, context) : [];
  const gone = ofState.length > 0 && (change.kind !== 'changed' || change.replacement === 'always');
  const ofType = gone || (change.kind === 'changed' && change.properties.length === 0) ? [] : (judges[change.type] ?? judgeGenerically)(change, context);
  const served = kindOfType(change.type) === 'serving' && change.type !== 'AWS::ECS::Service' && (change.kind === 'removed' || change.replacement === 'always') && judges[change.type] ? judgeGenerically(change, context) : [];
  const all = [...ofState, ...ofType, ...served, ...change.attributes.map((attribute) => judgeAttribute(attribute, holdsState))];
  return all.length > 0 ? all : judgeGenerically(change, context);
}

function judgeAttribute(attribute: ValueChange, holdsState: boolean): Judgement {
  const what = describeProperty(attribute);
  if (!/Policy$/.test(attribute.name) || !holdsState) return { section: 'rest', impact: 'no interruption', what, atDeploy: 'only told to CloudFormation; what runs stays as it is' };
  const kept = attribute.after === 'Retain';
  return { section: 'state', impact: 'no interruption', what, atDeploy: kept ? 'from now on it outlives its stack' : 'from now on it goes with its stack, and whenever it leaves the template' };
}

function worstFirst(a: Finding, b: Finding): number {
  const order = Object.keys(sections);
  return order.indexOf(a.section) - order.indexOf(b.section) || impacts.indexOf(a.impact) - impacts.indexOf(b.impact);
}
