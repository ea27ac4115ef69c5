import { awsMetrics } from '../../../lib/tier/monitoring/aws-metrics';
import type { MetricReference, ResolvedTier } from './referenced-metrics';

/** A metric as somebody emits it. */
export interface EmittedMetric {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly unit: string;
}

/** What AWS emits of the resources of a tier, by its documentation. */
export function emittedByAws(tier: ResolvedTier): readonly EmittedMetric[] {
  const refs = (type: string): readonly string[] => tier.ofType(type).map((resource) => tier.refOf(resource));
  const attributes = (type: string, attribute: string): readonly string[] => tier.ofType(type).map(([id]) => `${id}.${attribute}`);
  const subjects: Readonly<Record<keyof typeof awsMetrics, readonly (readonly string[])[]>> = {
    instance: refs('AWS::RDS::DBInstance').map((identifier) => [identifier]),
    targets: [[...attributes('AWS::ElasticLoadBalancingV2::LoadBalancer', 'LoadBalancerFullName'), ...attributes('AWS::ElasticLoadBalancingV2::TargetGroup', 'TargetGroupFullName')]],
    service: [[...refs('AWS::ECS::Cluster'), ...attributes('AWS::ECS::Service', 'Name')]],
  };
  return Object.entries(awsMetrics).flatMap(([subject, { namespace, dimensions, units }]) =>
    subjects[subject as keyof typeof awsMetrics].flatMap((values) =>
      Object.entries(units).map(([name, unit]) => ({ namespace, name, dimensions: Object.fromEntries(dimensions.map((key, position) => [key, values[position]!])), unit })),
    ),
  );
}

/** What a figure in a unit of CloudWatch must be called. */
const called: Readonly<Record<string, RegExp>> = { Seconds: /^seconds/, Milliseconds: /^milliseconds/, Percent: /^%/, Bytes: /^bytes/, 'Count/Second': /^per second/, Count: /^(?!seconds|milliseconds|%|bytes)/, None: /^(?!seconds|milliseconds|%|bytes)/ };

/** References that nobody's metric answers, each with the nearest that somebody emits. */
export function unanswered(references: readonly MetricReference[], emitted: readonly EmittedMetric[]): readonly string[] {
  return references.flatMap((reference) => {
    const named = emitted.filter(({ namespace, name }) => namespace === reference.namespace && name === reference.name);
    const found = named.filter(({ dimensions }) => hasDimensions(dimensions, reference.dimensions));
    const text = `${reference.where}: ${reference.namespace} ${reference.name} ${JSON.stringify(reference.dimensions)}`;
    if (found.length === 0) return [`${text}; ${named.length === 0 ? 'nobody emits it' : `emitted with ${named.map(({ dimensions }) => JSON.stringify(dimensions)).join(', ')}`}`];
    return found.filter(({ unit }) => !called[unit]!.test(reference.unit)).map(({ unit }) => `${text}; emitted in ${unit}, called "${reference.unit}"`);
  });
}

/** CloudWatch finds a metric by its whole set of dimensions only. */
function hasDimensions(emitted: EmittedMetric['dimensions'], wanted: MetricReference['dimensions']): boolean {
  const keys = Object.keys(wanted);
  return keys.length === Object.keys(emitted).length && keys.every((key) => key in emitted && (wanted[key] === undefined || wanted[key] === emitted[key]));
}
