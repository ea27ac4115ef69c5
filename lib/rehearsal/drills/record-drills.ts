import { readReport, type Report, writeReport } from '../report/report';
import type { DrillResult } from './drill-result';

/**
 * Writes the results into the directory's report: into one of the same environment that is there, beside drills of other
 * names, or else into the report that is given. Returns its path.
 */
export function recordDrills(directory: string, results: readonly DrillResult[], otherwise: Report): string {
  const report = readReport(directory) ?? otherwise;
  assertSameEnvironment(directory, report, otherwise.environment);
  const others = (report.drills ?? []).filter((drill) => !results.some(({ name }) => name === drill.name));
  return writeReport(directory, { ...report, drills: [...others, ...results] });
}

/** @throws Error if the directory holds a report of another environment: its drills would be mistaken for that one's */
export function assertRecordable(directory: string, environment: string): void {
  const report = readReport(directory);
  if (report) assertSameEnvironment(directory, report, environment);
}

function assertSameEnvironment(directory: string, report: Report, environment: string): void {
  if (report.environment === environment) return;
  throw new Error(`${directory}/report.json is of ${report.environment}, not of ${environment}; name another directory with --report`);
}
