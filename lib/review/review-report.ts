import { compareEnvironment } from './comparison';
import type { AssemblyStack } from '../assembly/environment-assembly';
import { acknowledge, type Acknowledgement } from './acknowledgements';
import { type Finding, impacts, type Impact, isRisk, worstImpact } from './impact';
import { judgeEnvironment } from './judge-environment';
import { poolTable, type PoolRow } from './pool-table';

/** Raised when a field changes its meaning or goes away; fields may be added without it. */
export const reviewSchemaVersion = 1;

/** The stacks of an environment in both revisions; an empty list where one has no such environment. */
export interface ReviewedEnvironment {
  readonly environment: string;
  readonly before: readonly AssemblyStack[];
  readonly after: readonly AssemblyStack[];
}

export interface ReviewReport {
  readonly schemaVersion: typeof reviewSchemaVersion;
  readonly base: string;
  readonly head: string;
  readonly environments: readonly string[];
  readonly findings: readonly Finding[];
  readonly pools: Readonly<Record<string, readonly PoolRow[]>>;
  /** What the reader must know of how the review was made. */
  readonly remarks: readonly string[];
  /** Undefined if nothing changes. */
  readonly worst?: Impact;
  /** How many risks the change does not acknowledge. */
  readonly openRisks: number;
}

export interface ReviewSubject {
  readonly base: string;
  readonly head: string;
  readonly environments: readonly ReviewedEnvironment[];
  readonly acknowledgements: { readonly before: readonly Acknowledgement[]; readonly after: readonly Acknowledgement[] };
  readonly remarks: readonly string[];
}

/** Says what a change does to every environment. */
export function reviewChange({ base, head, environments, acknowledgements, remarks }: ReviewSubject): ReviewReport {
  const comparisons = environments.map(({ environment, before, after }) => compareEnvironment(environment, before, after));
  const { findings, remarks: entries } = acknowledge(comparisons.flatMap(judgeEnvironment), acknowledgements.before, acknowledgements.after);
  const worst = worstImpact(findings.map(({ impact }) => impact));
  return {
    schemaVersion: reviewSchemaVersion,
    base,
    head,
    environments: environments.map(({ environment }) => environment),
    findings,
    pools: Object.fromEntries(comparisons.map((comparison) => [comparison.environment, poolTable(comparison)])),
    remarks: [...remarks, ...entries],
    ...(worst && { worst }),
    openRisks: openRisks(findings).length,
  };
}

/** Risks that nobody has acknowledged, worst first. */
export function openRisks(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ impact, acknowledged }) => isRisk(impact) && acknowledged === undefined).sort((a, b) => impacts.indexOf(a.impact) - impacts.indexOf(b.impact));
}
