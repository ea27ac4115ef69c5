import { findParameter, needsRestart } from '../../postgres/parameter-catalogue';
import { parameterProblem } from '../../postgres/parameter-problem';
import type { Resource } from '../../assembly/template';
import { type JudgeContext, resourcesOfType } from '../comparison';
import type { Judgement } from '../impact';
import { describeProperty, type Judge } from './generic';
import { instancesOfGroup, isReplica } from './tier-parts';

/** Judges the parameters of a group, each by what the server says of it. */
export const judgeParameterGroup: Judge = (change, context) => {
  const rest = change.properties.filter(({ name }) => name !== 'Parameters');
  const describe = (what: string, atDeploy: string): Judgement => ({ section: 'parameters', impact: 'no interruption', what, atDeploy });
  if (change.kind === 'added') return [describe('group added', 'made')];
  if (change.kind === 'removed') return [describe('group removed', 'deleted; what used it has another one')];
  const before = parametersOf(change.before);
  const after = parametersOf(change.after);
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => before[name] !== after[name]).sort();
  return [
    ...names.map((name) => judgeParameter(name, before[name], after[name], change.logicalId, context)),
    ...rest.map((property) =>
      property.replacement === 'always'
        ? describe(`group replaced: ${describeProperty(property)}`, 'the instances get the new one; see there')
        : describe(describeProperty(property), 'changed in place'),
    ),
  ];
};

type Parameters = Readonly<Record<string, string>>;

function parametersOf(group: Resource | undefined): Parameters {
  return (group?.Properties?.['Parameters'] ?? {}) as Parameters;
}

function judgeParameter(name: string, before: string | undefined, after: string | undefined, groupId: string, context: JudgeContext): Judgement {
  const what = `${name}${unitOf(name)} ${before ?? '(default)'} → ${after ?? '(default)'}`;
  const problem = after === undefined ? undefined : parameterProblem(name, after);
  if (problem) return { section: 'parameters', impact: 'deploy fails', what, atDeploy: problem };
  const order = orderProblem(name, after, groupId, context);
  if (order) return { section: 'parameters', impact: 'downtime', what, atDeploy: order };
  const weaker = name === 'rds.force_ssl' && after !== '1';
  if (weaker) return { section: 'security', impact: 'no interruption', what, atDeploy: 'plain connections are let in at once' };
  const instances = instancesOfGroup(context.comparison, 'after', groupId);
  switch (needsRestart(name)) {
    case false:
      return { section: 'parameters', impact: 'no interruption', what, atDeploy: 'takes effect at once, in new sessions at the latest' };
    case true: {
      const multiAz = instances.some(([, { Properties }]) => Properties?.['MultiAZ'] === true);
      return { section: 'parameters', impact: 'no interruption', what, atDeploy: `waits for a restart, which nobody makes by itself and which is ${multiAz ? 'a brief failover' : 'downtime of a minute'}: aws rds reboot-db-instance` };
    }
    default:
      return { section: 'parameters', impact: 'downtime', what, atDeploy: 'not known to this review: it may need a restart' };
  }
}

function unitOf(name: string): string {
  const unit = findParameter(name)?.unit;
  return unit ? ` (${unit})` : '';
}

/** A standby refuses to start with fewer than its primary. https://www.postgresql.org/docs/17/hot-standby.html#HOT-STANDBY-ADMIN */
const neverBelowPrimary: ReadonlySet<string> = new Set(['max_connections', 'max_worker_processes', 'max_wal_senders', 'max_prepared_transactions', 'max_locks_per_transaction']);

/** Raised on the primary before its replicas have it, or lowered on a replica before its primary is. */
function orderProblem(name: string, after: string | undefined, groupId: string, context: JudgeContext): string | undefined {
  if (!neverBelowPrimary.has(name)) return undefined;
  const users = instancesOfGroup(context.comparison, 'after', groupId);
  const onReplica = users.some(([, resource]) => isReplica(resource));
  const others = resourcesOfType(context.comparison, 'before', 'AWS::RDS::DBInstance').filter(([, resource]) => isReplica(resource) !== onReplica);
  const deployed = others.map(([id, resource]) => ({ id, value: deployedValue(name, resource, context) }));
  const conflicts = deployed.filter(({ value }) => (onReplica ? lower(after, value) : lower(value, after)));
  if (conflicts.length === 0) return undefined;
  const list = conflicts.map(({ id, value }) => `${id} has ${value ?? 'the default'}`).join(', ');
  return onReplica
    ? `lowered below its primary (${list}): the replica refuses to start at its next restart. Lower it on the primary in a deploy before, and restart that`
    : `raised over its replicas (${list}): they refuse to start at their next restart. Raise it on the replicas in a deploy before, and restart them`;
}

/** True unless `a` is known to be at least `b`. */
function lower(a: string | undefined, b: string | undefined): boolean {
  if (a === b) return false;
  return !(Number(a) >= Number(b));
}

function deployedValue(name: string, instance: Resource, { comparison }: JudgeContext): string | undefined {
  const groups = resourcesOfType(comparison, 'before', 'AWS::RDS::DBParameterGroup');
  const group = groups.find(([id]) => instancesOfGroup(comparison, 'before', id).some(([, user]) => user === instance));
  return parametersOf(group?.[1])[name];
}
