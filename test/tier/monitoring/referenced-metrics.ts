import { resolveIntrinsics, type ResolutionContext } from '../../../lib/assembly/resolve-intrinsics';
import { getAttParts, type Resource, type Template } from '../../../lib/assembly/template';
import { synthesizeTier } from '../../synthesize';

/** A metric as an alarm or the dashboard asks CloudWatch for it. */
export interface MetricReference {
  /** The alarm, or the graph, that names it. */
  readonly where: string;
  readonly namespace: string;
  readonly name: string;
  /** Undefined where a SEARCH takes any value. */
  readonly dimensions: Readonly<Record<string, string | undefined>>;
  /** What people are told that its figure is. */
  readonly unit: string;
}

/** Templates of an environment, with every intrinsic replaced by a name of its own. */
export class ResolvedTier {
  readonly resources: readonly (readonly [logicalId: string, resource: Resource])[];
  private readonly data: Template;
  private readonly service: Template;

  constructor(
    environmentName: string,
    /** What an attribute of a resource is. @default - `id.attribute` */
    private readonly attributeOf: (resource: Resource, attribute: string) => string | undefined = () => undefined,
  ) {
    const { data, service } = synthesizeTier(environmentName);
    [this.data, this.service] = [data.toJSON() as Template, service.toJSON() as Template];
    this.resources = [this.data, this.service].flatMap((template) => Object.entries(template.Resources));
  }

  ofType(type: string): readonly (readonly [logicalId: string, resource: Resource])[] {
    return this.resources.filter(([, { Type }]) => Type === type);
  }

  /** As CloudFormation would make it of a value of the service stack. */
  resolve(value: unknown): unknown {
    return resolveIntrinsics(value, this.contextOf(this.service), 'service');
  }

  refOf([logicalId, { Properties = {} }]: readonly [string, Resource]): string {
    return typeof Properties.DBInstanceIdentifier === 'string' ? Properties.DBInstanceIdentifier : logicalId;
  }

  private contextOf(template: Template): ResolutionContext {
    const of = (logicalId: string): Resource | undefined => template.Resources[logicalId];
    return {
      ref: (logicalId) => (logicalId.startsWith('AWS::') ? logicalId : of(logicalId) && this.refOf([logicalId, of(logicalId)!])),
      attribute: (logicalId, attribute) => of(logicalId) && (this.attributeOf(of(logicalId)!, attribute) ?? `${logicalId}.${attribute}`),
      stackOutput: (_stack, output) => {
        const { Value } = this.data.Outputs?.[output] ?? {};
        return Value === undefined ? undefined : resolveIntrinsics(Value, this.contextOf(this.data), 'data');
      },
    };
  }
}

/** Every metric that an alarm or a graph names. */
export function referencedMetrics(tier: ResolvedTier): readonly MetricReference[] {
  const alarms = tier.ofType('AWS::CloudWatch::Alarm').flatMap(([id, { Properties }]) => ofAlarm(`alarm ${id}`, tier.resolve(Properties) as AlarmProperties));
  const graphs = tier.ofType('AWS::CloudWatch::Dashboard').flatMap(([, { Properties }]) => {
    const { widgets } = JSON.parse(tier.resolve(Properties!.DashboardBody) as string) as { readonly widgets: readonly Widget[] };
    return widgets.flatMap(ofWidget);
  });
  return [...alarms, ...graphs];
}

/** Alarms that the composite alarms listen to. A rule that is more than "any of them" is refused. */
export function compositeInputs(tier: ResolvedTier): readonly string[] {
  return tier.ofType('AWS::CloudWatch::CompositeAlarm').flatMap(([id, { Properties }]) => {
    const rule = String(tier.resolve(Properties!.AlarmRule));
    const inputs = [...rule.matchAll(/ALARM\("([^"]+)"\)/g)].map(([, arn]) => getAttParts(arn).logicalId);
    if (rule.replace(/ALARM\("[^"]+"\)/g, '').replace(/\bOR\b|[\s()]/g, '') !== '') throw new Error(`${id}: ${rule}`);
    return inputs;
  });
}

interface Stat {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: string }[];
}

interface AlarmProperties extends Partial<Stat> {
  readonly AlarmDescription: string;
  readonly Metrics?: readonly { readonly Expression?: string; readonly MetricStat?: { readonly Metric: Stat } }[];
}

function ofAlarm(where: string, { AlarmDescription, Metrics = [], ...own }: AlarmProperties): readonly MetricReference[] {
  const [, unit = ''] = /^\w+: [<>] [\d.,]+ (.+?)\. First: /.exec(AlarmDescription) ?? [];
  const stats = [...(own.MetricName === undefined ? [] : [own as Stat]), ...Metrics.flatMap(({ MetricStat }) => (MetricStat ? [MetricStat.Metric] : []))];
  return [
    ...stats.map(({ Namespace, MetricName, Dimensions = [] }) => ({ where, namespace: Namespace, name: MetricName, dimensions: Object.fromEntries(Dimensions.map(({ Name, Value }) => [Name, Value])), unit })),
    ...Metrics.flatMap(({ Expression }) => (Expression === undefined ? [] : ofSearch(where, Expression, unit))),
  ];
}

interface Widget {
  readonly type: string;
  readonly properties: { readonly title: string; readonly metrics: readonly (readonly unknown[])[]; readonly yAxis?: { readonly left?: { readonly label?: string } } };
}

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html */
function ofWidget({ type, properties }: Widget): readonly MetricReference[] {
  if (type === 'text') return [];
  if (type !== 'metric') throw new Error(`a widget of type ${type}: nobody knows which metrics it shows`);
  const { title, metrics, yAxis } = properties;
  const [where, unit] = [`graph "${title}"`, yAxis?.left?.label ?? ''];
  let before: readonly string[] = [];
  return metrics.flatMap((entry) => {
    const { expression } = (typeof entry.at(-1) === 'object' ? entry.at(-1) : {}) as { readonly expression?: string };
    if (expression !== undefined) return ofSearch(where, expression, unit);
    before = written(entry.filter((part) => typeof part === 'string'), before);
    const [namespace, name, ...pairs] = before as readonly [string, string, ...string[]];
    const dimensions = Object.fromEntries(pairs.flatMap((key, position) => (position % 2 === 0 ? [[key, pairs[position + 1]!] as const] : [])));
    return [{ where, namespace, name, dimensions, unit }];
  });
}

/** `.` stands for what is above it, `...` for all that is above it to its left. */
function written(parts: readonly string[], before: readonly string[]): readonly string[] {
  const rest = parts[0] === '...' ? [...before.slice(0, before.length - parts.length + 1), ...parts.slice(1)] : parts;
  return rest.map((part, position) => (part === '.' ? before[position]! : part));
}

/** Other functions name metrics that stand beside them. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html */
function ofSearch(where: string, expression: string, unit: string): readonly MetricReference[] {
  return [...expression.matchAll(/SEARCH\(\s*'\{([^}]*)\}([^']*)'/g)].map(([, schema, terms]) => {
    const [namespace = '', ...dimensions] = schema!.split(',').map((part) => part.trim().replace(/^"|"$/g, ''));
    const [, name] = /MetricName\s*=\s*"([^"]+)"/.exec(terms!) ?? [];
    if (name === undefined) throw new Error(`${where}: a SEARCH that names no metric cannot be tied to one: ${expression}`);
    return { where, namespace, name, dimensions: Object.fromEntries(dimensions.map((key) => [key, undefined])), unit };
  });
}
