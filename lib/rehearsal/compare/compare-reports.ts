import type { Report } from '../report/report';
import { areApart, type ConfidenceRange, confidenceRange } from './confidence-range';
import { type Figure, figuresOf } from './report-figures';

export type Judgement = 'worse' | 'better' | 'within noise' | 'only before' | 'only after';

/** A figure on both sides of a change. */
export interface ComparedFigure {
  readonly title: string;
  readonly unit: string;
  readonly before?: ConfidenceRange;
  readonly after?: ConfidenceRange;
  readonly judgement: Judgement;
  /** What the judgement rests on, if it is not the figures. */
  readonly reason?: string;
}

export interface Comparison {
  readonly figures: readonly ComparedFigure[];
  /** What makes the two sides hard to compare, one sentence each. */
  readonly caveats: readonly string[];
  readonly runs: { readonly before: number; readonly after: number };
}

/**
 * What a change did to the figures of rehearsals.
 *
 * @param before reports of rehearsals without the change, at least one
 * @param after reports of rehearsals with it, at least one
 */
export function compareReports(before: readonly Report[], after: readonly Report[]): Comparison {
  const [was, is] = [byKey(before), byKey(after)];
  const keys = [...new Set([...is.keys(), ...was.keys()])];
  return {
    figures: keys.map((key) => compareFigure(was.get(key), is.get(key))),
    caveats: caveatsOf(before, after),
    runs: { before: before.length, after: after.length },
  };
}

function compareFigure(before: readonly Figure[] | undefined, after: readonly Figure[] | undefined): ComparedFigure {
  const { title, unit } = (after ?? before)![0]!;
  const [was, is] = [before && rangeOf(before), after && rangeOf(after)];
  const compared = { title, unit, ...(was && { before: was }), ...(is && { after: is }) };
  if (!before) return { ...compared, judgement: 'only after', ...failureOf(after!) };
  if (!after) return { ...compared, judgement: 'only before' };
  return { ...compared, ...judge(before, after, was!, is!) };
}

function judge(before: readonly Figure[], after: readonly Figure[], was: ConfidenceRange, is: ConfidenceRange): Pick<ComparedFigure, 'judgement' | 'reason'> {
  const [failedBefore, failedAfter] = [failureOf(before), failureOf(after)];
  if (failedAfter.reason !== undefined && failedBefore.reason === undefined) return { judgement: 'worse', ...failedAfter };
  const { better, exact } = after[0]!;
  const apart = exact ? was.mean !== is.mean : areApart(was, is);
  if (!apart) return { judgement: 'within noise' };
  return { judgement: is.mean > was.mean === (better === 'higher') ? 'better' : 'worse' };
}

function failureOf(figures: readonly Figure[]): { readonly reason?: string } {
  const failures = figures.flatMap(({ failure }) => failure ?? []);
  if (failures.length === 0) return {};
  return { reason: figures.length === 1 ? failures[0]! : `in ${failures.length} of ${figures.length} runs, ${failures[0]}` };
}

function rangeOf(figures: readonly Figure[]): ConfidenceRange {
  const range = confidenceRange(figures.map(({ value }) => value), { absolute: figures[0]!.leastNoise ?? 0 });
  return figures[0]!.exact ? { ...range, halfWidth: 0 } : range;
}

function byKey(reports: readonly Report[]): ReadonlyMap<string, readonly Figure[]> {
  const figures = new Map<string, Figure[]>();
  for (const figure of reports.flatMap(figuresOf)) figures.set(figure.key, [...(figures.get(figure.key) ?? []), figure]);
  return figures;
}

function caveatsOf(before: readonly Report[], after: readonly Report[]): readonly string[] {
  const different = (what: string, of: (report: Report) => string): readonly string[] => {
    const [was, is] = [before, after].map((reports) => [...new Set(reports.map(of))].join(' and ')) as [string, string];
    return was === is ? [] : [`${what}: ${was || 'none'} before, ${is || 'none'} after`];
  };
  return [
    ...different('environments differ', ({ environment }) => environment),
    ...different('machines differ', ({ machine: { cores, memoryMiB } }) => `${cores} cores and ${memoryMiB} MiB`),
    ...different('scaled otherwise', ({ scaled }) => [...scaled].sort().join('; ')),
  ];
}
