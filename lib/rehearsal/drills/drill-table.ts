import Table from 'cli-table3';

import type { DrillResult } from './drill-result';

/** What each drill showed, for a terminal: the figures, then what was not as expected. */
export function renderDrills(results: readonly DrillResult[]): string {
  const head = ['drill', 'verdict', 'acknowledged', 'lost', 'unknown', 'errors', 'with retry', 'after 1st statement', 'silence s', 'recovery s'];
  const table = new Table({ head, colAligns: ['left', 'left', ...head.slice(2).map(() => 'right' as const)], wordWrap: true, style: { head: [], border: [] } });
  for (const result of results) {
    table.push([
      result.title,
      verdictOf(result),
      result.acknowledged,
      result.lost,
      result.unknownOutcomes,
      result.errors,
      result.visibleErrors,
      result.errorsAfterFirstStatement,
      result.longestSilenceSeconds.toFixed(1),
      result.recoverySeconds === null ? '–' : result.recoverySeconds.toFixed(1),
    ]);
  }
  return [table.toString(), ...results.map(renderDrill)].join('\n\n');
}

function renderDrill({ name, expected, why, asExpected, problems, metrics = [] }: DrillResult): string {
  const figures = metrics.map(({ title, value, unit }) => `${title} ${Number.isInteger(value) ? value : value.toFixed(2)}${unit === '' ? '' : ` ${unit}`}`);
  return [
    name,
    `  expected: ${expected}`,
    `  why: ${why}`,
    ...(figures.length > 0 ? [`  measured besides: ${figures.join(', ')}`] : []),
    ...(asExpected ? [] : problems.map((problem) => `  not as expected: ${problem}`)),
  ].join('\n');
}

function verdictOf({ asExpected }: DrillResult): string {
  return asExpected ? 'as expected' : 'not as expected';
}
