import { MetricUnit, Metrics } from '@aws-lambda-powertools/metrics';

import { metricsNamespace } from '../monitoring/monitoring.contract';
import type { IndexSummary } from './indexes.contract';

/** Metrics of the index function, each with what it counts. */
export const indexMetrics: Readonly<Record<string, (summary: IndexSummary) => number>> = {
  /** Being built, dropped, or waiting for their turn. */
  IndexesUnfinished: ({ building, waiting, dropping }) => building.length + waiting.length + dropping.length,
  /** Cannot be built, or gave up. */
  IndexesFailed: ({ failed }) => failed.length,
  /** Dropped, changed or made INVALID since they were built. */
  IndexesDrifted: ({ drifted }) => drifted.length,
  /** Cost writes and answer no query. */
  IndexesInvalid: ({ invalid }) => invalid.length,
  /** Their table does not exist yet. */
  IndexesDeferred: ({ deferred }) => deferred.length,
};

/**
 * Writes the metrics to the log in CloudWatch's embedded format.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function publishIndexMetrics(environmentName: string, summary: IndexSummary): void {
  const metrics = new Metrics({ namespace: metricsNamespace });
  // The library's own is the name of a service, which alarms would have to repeat.
  metrics.clearDefaultDimensions();
  metrics.addDimension('Environment', environmentName);
  for (const [name, count] of Object.entries(indexMetrics)) metrics.addMetric(name, MetricUnit.Count, count(summary));
  metrics.publishStoredMetrics();
}
