import { describeValue } from '../describe-value';
import type { Judgement } from '../impact';
import type { ResourceChange } from '../stack-comparison';
import { describeProperty, type Judge } from './generic';

const quiet = (what: string, atDeploy: string): Judgement => ({ section: 'security', impact: 'no interruption', what, atDeploy });

/** Judges who may do what: every statement that comes or goes. */
export const judgePermissions: Judge = (change) => {
  const before = statementsOf(change.before?.Properties);
  const after = statementsOf(change.after?.Properties);
  const given = after.filter((statement) => !before.includes(statement));
  const taken = before.filter((statement) => !after.includes(statement));
  const others = change.properties.filter(({ name }) => !policyProperties.has(name));
  const findings = [
    ...given.map((statement) => quiet(`+ ${statement}`, broad(statement) ? 'a permission is given, over everything' : 'a permission is given')),
    ...taken.map((statement) => quiet(`− ${statement}`, statement.startsWith('Deny') ? 'a denial goes' : 'a permission is taken away: whoever still needs it fails')),
    ...others.map((property) => quiet(describeProperty(property), property.replacement === 'always' ? 'replaced by a new one with the same permissions' : 'changed in place')),
  ];
  return findings.length > 0 ? findings : [quiet(change.kind === 'changed' ? change.properties.map(describeProperty).join('; ') : change.kind, 'no permission comes or goes')];
};

const policyProperties: ReadonlySet<string> = new Set(['PolicyDocument', 'AssumeRolePolicyDocument', 'Policies', 'ManagedPolicyArns', 'KeyPolicy', 'ResourcePolicy']);

interface PolicyDocument {
  readonly Statement?: readonly Readonly<Record<string, unknown>>[];
}

/** Each statement of every policy document among the properties, on one line. */
export function statementsOf(properties: Readonly<Record<string, unknown>> = {}): readonly string[] {
  const { PolicyDocument: own, AssumeRolePolicyDocument: trust, KeyPolicy: key, ResourcePolicy: resource, Policies = [], ManagedPolicyArns = [] } = properties;
  const inline = (Policies as readonly { readonly PolicyDocument?: PolicyDocument }[]).map((policy) => policy.PolicyDocument);
  return [
    ...[own, trust, key, resource, ...inline].flatMap((document) => (document as PolicyDocument | undefined)?.Statement ?? []).flatMap(renderStatement),
    ...(ManagedPolicyArns as readonly unknown[]).map((arn) => `managed policy ${describeValue(arn)}`),
  ];
}

/** A line for each action, so that one more action is one more line. */
function renderStatement({ Effect, Action, NotAction, Resource, NotResource, Principal, NotPrincipal, Condition }: Readonly<Record<string, unknown>>): readonly string[] {
  const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);
  const where = [
    ...(Resource === undefined ? [] : [`on ${list(Resource).map(describeValue).sort().join(', ')}`]),
    ...(NotResource === undefined ? [] : [`on all but ${list(NotResource).map(describeValue).join(', ')}`]),
    ...(Principal === undefined ? [] : [`for ${describeValue(Principal)}`]),
    ...(NotPrincipal === undefined ? [] : [`for all but ${describeValue(NotPrincipal)}`]),
    ...(Condition === undefined ? [] : [`if ${describeValue(Condition)}`]),
  ].join(' ');
  const actions = NotAction === undefined ? list(Action).map(describeValue) : [`all but ${list(NotAction).map(describeValue).join(', ')}`];
  return actions.map((action) => `${String(Effect)} ${action} ${where}`);
}

function broad(statement: string): boolean {
  return /^Allow (\*|\S+:\*) /.test(statement) || / on \*( |$)/.test(statement) || /for (\*|\{"AWS":"\*"\})/.test(statement);
}

/** Judges rules of security groups, those that stand in the group itself too. */
export const judgeSecurityGroupRule: Judge = (change, { stack }) => {
  const rules = { before: rulesOf(change, 'before'), after: rulesOf(change, 'after') };
  const everywhere = (side: 'before' | 'after') => new Set(stack.changes.filter(({ type }) => type === change.type).flatMap((other) => rulesOf(other, side)));
  const opened = rules.after.filter((rule) => !rules.before.includes(rule));
  const closed = rules.before.filter((rule) => !rules.after.includes(rule));
  const findings = [
    ...opened.map((rule) => (everywhere('before').has(rule) ? quiet(`the same rule under another id: ${rule}`, 'made before the old one goes') : quiet(`opens ${rule}`, worldWide(rule) ? 'everybody on the internet may connect' : 'new connections are let through'))),
    ...closed.map((rule): Judgement => (everywhere('after').has(rule) ? quiet(`the same rule under another id: ${rule}`, 'made before the old one goes') : { section: 'security', impact: 'downtime', what: `closes ${rule}`, atDeploy: 'for whoever used it: new connections are refused' })),
  ];
  return findings.length > 0 ? findings : [quiet(change.properties.map(describeProperty).join('; ') || change.kind, 'no rule comes or goes')];
};

function rulesOf({ type, before, after }: ResourceChange, side: 'before' | 'after'): readonly string[] {
  const properties = (side === 'before' ? before : after)?.Properties;
  if (!properties) return [];
  if (type === 'AWS::EC2::SecurityGroupIngress') return [renderRule(properties, 'from', properties['GroupId'])];
  if (type === 'AWS::EC2::SecurityGroupEgress') return [renderRule(properties, 'to', properties['GroupId'])];
  const inline = (name: string) => (properties[name] ?? []) as readonly Readonly<Record<string, unknown>>[];
  return [...inline('SecurityGroupIngress').map((rule) => renderRule(rule, 'from')), ...inline('SecurityGroupEgress').map((rule) => renderRule(rule, 'to'))];
}

function renderRule(rule: Readonly<Record<string, unknown>>, direction: 'from' | 'to', group?: unknown): string {
  const { IpProtocol, FromPort, ToPort, CidrIp, CidrIpv6, SourceSecurityGroupId, DestinationSecurityGroupId, SourcePrefixListId, DestinationPrefixListId } = rule;
  const peer = describeValue(CidrIp ?? CidrIpv6 ?? SourceSecurityGroupId ?? DestinationSecurityGroupId ?? SourcePrefixListId ?? DestinationPrefixListId);
  const ports = FromPort === undefined ? 'every port' : FromPort === ToPort ? describeValue(FromPort) : `${describeValue(FromPort)}–${describeValue(ToPort)}`;
  return `${String(IpProtocol) === '-1' ? 'every protocol' : `${String(IpProtocol)} ${ports}`} ${direction} ${peer}${group === undefined ? '' : ` ${direction === 'from' ? 'to' : 'from'} ${describeValue(group)}`}`;
}

function worldWide(rule: string): boolean {
  return / from (0\.0\.0\.0\/0|::\/0)/.test(rule);
}

/** Judges a key in place. */
export const judgeKey: Judge = (change, context) => {
  if (change.kind !== 'changed' || change.replacement === 'always') return [];
  const policy = change.properties.filter(({ name }) => name === 'KeyPolicy');
  const others = change.properties.filter(({ name, replacement }) => name !== 'KeyPolicy' && replacement !== 'always');
  return [
    ...(policy.length > 0 ? judgePermissions({ ...change, properties: policy }, context) : []),
    ...others.map((property): Judgement => {
      const what = describeProperty(property);
      if (property.name === 'EnableKeyRotation') return quiet(what, property.after === true ? 'its material changes every year' : 'its material is no longer changed');
      if (property.name === 'Enabled') return property.after === false ? { section: 'security', impact: 'downtime', what, atDeploy: 'nothing that it encrypted can be read until it is enabled again' } : quiet(what, 'enabled');
      return quiet(what, 'changed in place');
    }),
  ];
};

/** Judges a secret in place. */
export const judgeSecret: Judge = (change) => {
  if (change.kind !== 'changed') return [];
  return change.properties
    .filter(({ replacement }) => replacement !== 'always')
    .map((property): Judgement => {
      const what = property.name === 'SecretString' ? 'SecretString changes' : describeProperty(property);
      if (property.name === 'GenerateSecretString' || property.name === 'SecretString') return { section: 'state', impact: 'downtime', what, atDeploy: 'the secret is written anew, while database and clients still have the old password' };
      if (property.name === 'KmsKeyId') return quiet(what, 'new versions are encrypted with another key; readers need a right to use it');
      return quiet(what, 'changed in place');
    });
};

/** Judges whether a secret's password is still changed by itself. */
export const judgeRotation: Judge = (change) => {
  if (change.kind === 'removed') return [quiet('rotation off', 'the password stays as it is from now on')];
  if (change.kind === 'added') return [quiet('rotation on', 'the password is changed for the first time at the deploy, if it says so')];
  return [quiet(`rotation: ${change.properties.map(describeProperty).join('; ')}`, 'changed in place')];
};
