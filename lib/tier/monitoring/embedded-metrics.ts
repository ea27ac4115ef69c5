import { Metrics } from '@aws-lambda-powertools/metrics';

import type { Unit } from './metric-catalogue';
import { metricsNamespace } from './monitoring.contract';

/** Values that share their dimensions. */
export interface MetricSet {
  readonly dimensions: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, { readonly unit: Unit; readonly value: number }>>;
  /** Stands beside them in the log line, and makes no metrics of its own. @default - nothing */
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * Writes metrics to the log in CloudWatch's embedded format: nothing is called, so nothing can be out of reach.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function publishMetrics({ dimensions, values, details = {} }: MetricSet): void {
  if (Object.keys(values).length === 0) return;
  const metrics = new Metrics({ namespace: metricsNamespace });
  // The library's own is the name of a service, which alarms would have to repeat.
  metrics.clearDefaultDimensions();
  metrics.addDimensions(dimensions);
  for (const [name, { unit, value }] of Object.entries(values)) metrics.addMetric(name, unit, value);
  for (const [name, value] of Object.entries(details)) metrics.addMetadata(name, value as string);
  metrics.publishStoredMetrics();
}
