import type { ResolvedTier } from './referenced-metrics';

/** A metric filter of a template. */
export interface TemplateFilter {
  readonly logGroup: string;
  readonly metric: { readonly namespace: string; readonly name: string };
  readonly terms: readonly string[];
}

/**
 * The metric filters of a tier.
 *
 * @throws Error if a pattern is more than quoted terms, for which a substring test would not be exact
 */
export function templateFilters(tier: ResolvedTier): readonly TemplateFilter[] {
  return tier.ofType('AWS::Logs::MetricFilter').map(([id, { Properties }]) => {
    const { FilterPattern, LogGroupName, MetricTransformations } = tier.resolve(Properties) as {
      readonly FilterPattern: string;
      readonly LogGroupName: string;
      readonly MetricTransformations: readonly [{ readonly MetricNamespace: string; readonly MetricName: string; readonly MetricValue: string }];
    };
    const [{ MetricNamespace: namespace, MetricName: name, MetricValue: value }, ...others] = MetricTransformations;
    if (FilterPattern.replace(/"[^"\\]*"/g, '').trim() !== '' || value !== '1' || others.length > 0) throw new Error(`${id} counts something else than lines with quoted terms: ${FilterPattern}`);
    return { logGroup: LogGroupName, metric: { namespace, name }, terms: [...FilterPattern.matchAll(/"([^"]*)"/g)].map(([, term]) => term!) };
  });
}

/** Log groups of a tier, by who writes them: the instances export theirs, the container of the pooler has one. */
export function logGroups(tier: ResolvedTier): { readonly postgresql: readonly string[]; readonly pooler: readonly string[] } {
  const exported = tier.ofType('AWS::RDS::DBInstance').filter(([, { Properties }]) => (Properties!.EnableCloudwatchLogsExports as readonly string[] | undefined)?.includes('postgresql'));
  const containers = tier.ofType('AWS::ECS::TaskDefinition').flatMap(([, { Properties }]) => tier.resolve(Properties!.ContainerDefinitions) as readonly { readonly LogConfiguration: { readonly Options: Readonly<Record<string, string>> } }[]);
  return {
    postgresql: exported.map((instance) => `/aws/rds/instance/${tier.refOf(instance)}/postgresql`),
    pooler: containers.map(({ LogConfiguration }) => LogConfiguration.Options['awslogs-group']!),
  };
}
