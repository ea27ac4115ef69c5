import { publishMetrics } from '../monitoring/embedded-metrics';
import type { IndexSummary } from './indexes.contract';

/** Metrics of the index function, each with what it counts. */
export const indexMetrics = {
  /** Being built, dropped, or waiting for their turn. */
  IndexesUnfinished: ({ building, waiting, dropping }: IndexSummary) => building.length + waiting.length + dropping.length,
  /** Cannot be built, or gave up. */
  IndexesFailed: ({ failed }: IndexSummary) => failed.length,
  /** Dropped, changed or made INVALID since they were built. */
  IndexesDrifted: ({ drifted }: IndexSummary) => drifted.length,
  /** Cost writes and answer no query. */
  IndexesInvalid: ({ invalid }: IndexSummary) => invalid.length,
  /** Their table does not exist yet. */
  IndexesDeferred: ({ deferred }: IndexSummary) => deferred.length,
} as const;

export type IndexMetric = keyof typeof indexMetrics;

export function publishIndexMetrics(environmentName: string, summary: IndexSummary): void {
  const values = Object.entries(indexMetrics).map(([name, count]) => [name, { unit: 'Count', value: count(summary) }] as const);
  publishMetrics({ dimensions: { Environment: environmentName }, values: Object.fromEntries(values) });
}
