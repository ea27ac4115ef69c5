import { metricsNamespace } from '../../tier/monitoring/monitoring.contract';
import type { Check } from '../report/report';
import { type Bench, checkOf } from './bench';

type MetricLine = Readonly<Record<string, unknown>>;

/** Calls the scheduled functions once more and reads the metrics that they wrote to their log. */
export async function measureCollector({ tier }: Bench): Promise<Check> {
  const { functionLog } = tier.site;
  const from = functionLog.length;
  await tier.functions.callScheduled();
  const lines = functionLog.slice(from).flatMap(metricsIn);
  const reached = sumOf(lines, 'PoolerTasksReached') + sumOf(lines, 'InstanceReached');
  const { databases, pooler } = tier;
  const wanted = pooler.tasks.length + 1 + databases.replicas.length;
  const metrics = lines.reduce((count, line) => count + metricNames(line).length, 0);
  return checkOf('collector', wanted - reached, {}, `${metrics} metrics, of ${reached} of ${wanted} instances and tasks`);
}

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html */
function metricsIn(line: string): readonly MetricLine[] {
  if (!line.startsWith('{') || !line.includes('"_aws"')) return [];
  const parsed = JSON.parse(line) as MetricLine;
  return metricNames(parsed).length > 0 ? [parsed] : [];
}

function metricNames({ _aws }: MetricLine): readonly string[] {
  const { CloudWatchMetrics = [] } = _aws as { CloudWatchMetrics?: readonly { Namespace: string; Metrics: readonly { Name: string }[] }[] };
  return CloudWatchMetrics.filter(({ Namespace }) => Namespace === metricsNamespace).flatMap(({ Metrics }) => Metrics.map(({ Name }) => Name));
}

/** Every value of a metric in what functions logged. */
export function metricValues(log: readonly string[], metric: string): readonly number[] {
  return log.flatMap(metricsIn).flatMap((line) => (metric in line ? [Number(line[metric])] : []));
}

function sumOf(lines: readonly MetricLine[], metric: string): number {
  return lines.reduce((sum, line) => sum + Number(line[metric] ?? 0), 0);
}
