import Table from 'cli-table3';

import { formatNumber } from '../report/target-table';
import type { ComparedFigure, Comparison } from './compare-reports';
import { assumedNoise, type ConfidenceRange, confidencePercent, leastNoise } from './confidence-range';

const head = ['figure', 'before', 'after', '', 'change', 'judgement'] as const;

/** Whether the change made anything worse. */
export function madeWorse({ figures }: Comparison): boolean {
  return figures.some(isWorse);
}

/** For a terminal. */
export function renderComparisonText(comparison: Comparison): string {
  const table = new Table({ head: [...head], colAligns: ['left', 'right', 'right', 'left', 'right', 'left'], style: { head: [], border: [] } });
  for (const figure of comparison.figures) table.push([...cellsOf(figure)]);
  return [headlineOf(comparison), table.toString(), notesOf(comparison).map((note) => `  - ${note}`).join('\n')].join('\n\n');
}

/** For a pull request. */
export function renderComparisonMarkdown(comparison: Comparison): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replace(/[\\|<>*_`]/g, '\\$&')).join(' | ')} |`;
  return [
    '# What the change did to the rehearsal',
    '',
    `**${headlineOf(comparison).replace(/[\\|<>*_`]/g, '\\$&')}**`,
    '',
    line(head),
    '| --- | ---: | ---: | --- | ---: | --- |',
    ...comparison.figures.map((figure) => line(cellsOf(figure))),
    '',
    ...notesOf(comparison).map((note) => `- ${note}`),
    '',
  ].join('\n');
}

/** What is worse comes first: a line may be all that is read. */
function headlineOf({ figures }: Comparison): string {
  const worse = figures.filter(isWorse).map(({ title, unit, before, after, reason }) => {
    const change = before && after ? `${formatNumber(before.mean)} → ${formatNumber(after.mean)}` : formatNumber((after ?? before)!.mean);
    return `${title} ${change} ${unit}`.trimEnd() + (reason ? `: ${reason}` : '');
  });
  const count = (judgement: ComparedFigure['judgement']): number => figures.filter((figure) => figure.judgement === judgement).length;
  const rest = `${count('better')} better, ${count('within noise')} within noise`;
  const single = count('only before') + count('only after');
  const tail = single > 0 ? `${rest}, ${single} on one side only` : rest;
  return worse.length > 0 ? `worse: ${worse.join('; ')}; ${tail}` : `nothing worse: ${tail}`;
}

function isWorse({ judgement, reason }: ComparedFigure): boolean {
  return judgement === 'worse' || (judgement === 'only after' && reason !== undefined);
}

function cellsOf({ title, unit, before, after, judgement, reason }: ComparedFigure): readonly string[] {
  const change = before && after && before.mean !== 0 ? `${after.mean >= before.mean ? '+' : '−'}${formatNumber(Math.abs((after.mean / before.mean - 1) * 100))} %` : '';
  return [title, rangeText(before), rangeText(after), unit, change, reason ? `${judgement}, failed` : judgement];
}

function rangeText(range: ConfidenceRange | undefined): string {
  if (!range) return '–';
  return range.halfWidth === 0 ? formatNumber(range.mean) : `${formatNumber(range.mean)} ± ${formatNumber(range.halfWidth)}`;
}

function notesOf({ runs, caveats }: Comparison): readonly string[] {
  const percent = (part: number): string => `${Math.round(part * 100)} %`;
  const noise = [
    ...(Math.max(runs.before, runs.after) > 1 ? [`± is where the mean of the runs lies with ${confidencePercent} % confidence, and at least ${percent(leastNoise)}`] : []),
    ...(Math.min(runs.before, runs.after) === 1 ? [`a figure that was measured once is taken as ± ${percent(assumedNoise)}; --repeats of a rehearsal measures the noise instead`] : []),
  ];
  return [`runs: ${runs.before} before, ${runs.after} after; better or worse is what lies further apart than both ±`, ...noise, ...caveats];
}
