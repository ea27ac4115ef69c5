import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { DrillResult } from '../drills/drill-result';
import type { Verdict } from '../load/metrics';
import type { ApplicationResult } from './application-result';
import type { FidelityRow } from './fidelity';
import { renderPage } from './page/render-page';
import type { IndexedQueryResult, LatencyComparison, Phase, PoolSample, Topology } from './measurements';

/** Raised when a field changes its meaning or goes away; fields may be added without it. */
export const reportSchemaVersion = 1;

/** One line of the target table. */
export interface Check {
  /** Stable key, for example `indexed-query-p95`. */
  readonly name: string;
  readonly title: string;
  /** In words, for example `< 50`. */
  readonly target: string;
  readonly measured: number;
  readonly unit: string;
  readonly verdict: Verdict;
  /** How the figure came about: the arithmetic of an extrapolation, what was excluded. */
  readonly detail?: string;
  /** The same work without the tier, directly at the primary. @default - there is none that could be compared */
  readonly direct?: DirectFigure;
}

export interface DirectFigure {
  /** In the unit of the check. */
  readonly measured: number;
  /** What stood in the way, for example the server's own words. */
  readonly detail?: string;
}

export interface Report {
  readonly schemaVersion: typeof reportSchemaVersion;
  readonly environment: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly durationSeconds: number;
  readonly machine: { readonly cores: number; readonly memoryMiB: number };
  readonly checks: readonly Check[];
  readonly fidelity: readonly FidelityRow[];
  /** What differs from the template because this machine is smaller, one sentence each. */
  readonly scaled: readonly string[];
  /** What no rehearsal on one machine can prove, one sentence each. */
  readonly notProven: readonly string[];
  /** Of `npm run rehearse -- drill`. @default - none were run */
  readonly drills?: readonly DrillResult[];
  /** Of `--application`. @default - none was run */
  readonly application?: readonly ApplicationResult[];
  readonly latencies?: readonly LatencyComparison[];
  readonly indexedQueries?: readonly IndexedQueryResult[];
  readonly pool?: { readonly phases: readonly Phase[]; readonly samples: readonly PoolSample[] };
  readonly topology?: Topology;
}

export const reportFileName = 'report.json';
const pageFileName = 'report.html';

/**
 * Reads a directory's report; undefined if it has none.
 *
 * @throws Error if it is no JSON, or of a version that is not known here
 */
export function readReport(directory: string): Report | undefined {
  const path = join(directory, reportFileName);
  if (!existsSync(path)) return undefined;
  const { schemaVersion, ...report } = parse(path) as Omit<Report, 'schemaVersion'> & { schemaVersion: number };
  if (schemaVersion === reportSchemaVersion) return { schemaVersion, ...report };
  throw new Error(`${path} has schemaVersion ${schemaVersion}, not ${reportSchemaVersion}; name another directory with --report`);
}

function parse(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(`${path} is not JSON: ${(error as Error).message.replace(/\s+/g, ' ')}`, { cause: error });
  }
}

/** Writes `report.json`, and `report.html` for people, and returns the path of the first. */
export function writeReport(directory: string, report: Report): string {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, reportFileName);
  writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(join(directory, pageFileName), renderPage(report));
  return path;
}

/** True if a target was missed: the rehearsal then fails. */
export function missedAny(checks: readonly Check[]): boolean {
  return checks.some(({ verdict }) => verdict === 'missed');
}
