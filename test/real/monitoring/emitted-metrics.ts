import { join } from 'node:path';

import { build } from 'esbuild';

import type { AwsEndpoint } from '../../../lib/rehearsal/aws/aws-endpoint';
import { LambdaFunction } from '../../../lib/rehearsal/aws/lambda-function';
import type { EmittedMetric } from '../../tier/monitoring/metric-match';
import type { ResolvedTier } from '../../tier/monitoring/referenced-metrics';

/** Source of a scheduled function by its handler: synthesized without bundles, the template has none. */
const sources: Readonly<Record<string, string>> = { 'index.handler': 'monitoring/collector.lambda.ts', 'index.tick': 'indexes/indexes.lambda.ts' };

export interface Surroundings {
  readonly aws: AwsEndpoint;
  /** Host names and their addresses. */
  readonly names: ReadonlyMap<string, string>;
  readonly authorityFile: string;
  /** Where bundles are written. */
  readonly directory: string;
  /** Variables of the runtime besides those that lead to `aws`. @default - none */
  readonly runtimeEnvironment?: Readonly<Record<string, string>>;
}

export interface ScheduledFunction {
  readonly handler: string;
  /** Of the template, resolved. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Functions that a rule of the template calls by schedule. */
export function scheduledFunctions(tier: ResolvedTier): readonly ScheduledFunction[] {
  const targets = tier.ofType('AWS::Events::Rule').flatMap(([, { Properties }]) => (Properties!.Targets as readonly { readonly Arn: { readonly 'Fn::GetAtt': readonly [string] } }[]).map(({ Arn }) => Arn['Fn::GetAtt'][0]));
  return tier
    .ofType('AWS::Lambda::Function')
    .filter(([logicalId]) => targets.includes(logicalId))
    .map(([, { Properties }]) => {
      const { Handler, Environment } = tier.resolve({ Handler: Properties!.Handler, Environment: Properties!.Environment }) as { Handler: string; Environment: { Variables: Record<string, string> } };
      return { handler: Handler, environment: Environment.Variables };
    });
}

/** Bundles whatever is scheduled, as a deploy would. */
export async function bundleScheduled(directory: string): Promise<void> {
  for (const [handler, source] of Object.entries(sources)) {
    await build({ entryPoints: [join(__dirname, '../../../lib/tier', source)], outfile: join(directory, handler, 'index.js'), bundle: true, platform: 'node', external: ['pg-native'], logLevel: 'error' });
  }
}

/** Runs a function of the template, or another handler in its bundle, and returns what it printed. */
export async function invoke({ handler, environment }: ScheduledFunction, { aws, names, authorityFile, directory, runtimeEnvironment = {} }: Surroundings, event: object = {}, exportName?: string): Promise<readonly string[]> {
  const lines: string[] = [];
  const surroundings = { names, runtimeEnvironment: { ...aws.environment, ...runtimeEnvironment }, authorityFile, onLog: (_function: string, line: string) => void lines.push(line) };
  await new LambdaFunction({ functionName: handler, codeDirectory: join(directory, handler), handler: exportName ?? handler, environment, timeoutSeconds: 60 }, surroundings).invoke(event);
  return lines;
}

interface MetricLine {
  readonly _aws: { readonly CloudWatchMetrics: readonly { readonly Namespace: string; readonly Dimensions: readonly (readonly string[])[]; readonly Metrics: readonly { readonly Name: string; readonly Unit?: string }[] }[] };
  readonly [member: string]: unknown;
}

/**
 * What CloudWatch makes of lines of a log.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function metricsIn(lines: readonly string[]): readonly EmittedMetric[] {
  return lines
    .filter((line) => line.startsWith('{') && line.includes('"_aws"'))
    .map((line) => JSON.parse(line) as MetricLine)
    .flatMap((line) =>
      line._aws.CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) =>
        // A metric without a figure is none.
        Metrics.filter(({ Name }) => typeof line[Name] === 'number').flatMap(({ Name, Unit = 'None' }) =>
          Dimensions.map((keys) => ({ namespace: Namespace, name: Name, dimensions: Object.fromEntries(keys.map((key) => [key, String(line[key])])), unit: Unit })),
        ),
      ),
    );
}
