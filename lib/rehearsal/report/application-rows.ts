import type { ApplicationResult } from './application-result';
import type { Check } from './report';
import { formatNumber } from './target-table';

/** A line of the table: what was asked of every application, and what each showed. */
export interface ApplicationRow {
  readonly title: string;
  /** Empty for what has no target. */
  readonly target: string;
  /** In the order of the applications. */
  readonly cells: readonly { readonly text: string; readonly missed: boolean }[];
}

/** Checks as lines and applications as columns; what was not asked of an application is a dash. */
export function applicationRows(results: readonly ApplicationResult[]): readonly ApplicationRow[] {
  const checks = [...new Map(results.flatMap((result) => result.checks).map((check) => [check.name, check])).values()];
  const figures = (title: string, text: (result: ApplicationResult) => string): ApplicationRow => ({ title, target: '', cells: results.map((result) => ({ text: text(result), missed: false })) });
  return [
    ...checks.map(({ name, title, target }) => ({ title, target, cells: results.map((result) => cellOf(result.checks.find((check) => check.name === name))) })),
    figures('Requests under load', ({ requestsPerSecond }) => `${formatNumber(requestsPerSecond)}/s`),
    figures('Of them, p95', ({ p95Ms }) => (p95Ms === null ? '–' : `${formatNumber(p95Ms)} ms`)),
    figures('Longest wait for an answer, with the faults', ({ longestSilenceSeconds }) => `${formatNumber(longestSilenceSeconds)} s`),
  ];
}

function cellOf(check: Check | undefined): ApplicationRow['cells'][number] {
  return check ? { text: formatNumber(check.measured), missed: check.verdict === 'missed' } : { text: '–', missed: false };
}
