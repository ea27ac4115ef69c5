import Table from 'cli-table3';

import { summarizeFidelity } from './fidelity';
import type { Check, Report } from './report';

/** The guide's targets beside what was measured, for a terminal. */
export function renderTargetTable(checks: readonly Check[]): string {
  const table = new Table({ head: ['metric', 'target', 'measured', '', 'verdict'], colAligns: ['left', 'right', 'right', 'left', 'left'], style: { head: [], border: [] } });
  for (const { title, target, measured, unit, verdict } of checks) table.push([title, target, formatNumber(measured), unit, verdict]);
  return table.toString();
}

/** What stands below the table: how figures came about, and what the rehearsal does not show. */
export function renderNotes({ checks, scaled, notProven, fidelity }: Report): string {
  const details = checks.flatMap(({ title, detail }) => (detail ? [`${title}: ${detail}`] : []));
  return [
    section('How figures came about', details),
    section('Scaled to this machine', scaled),
    section(`How the ${fidelity.length} resources of the template were rehearsed (each in report.html)`, summarizeFidelity(fidelity)),
    section('What no rehearsal on one machine proves', notProven),
  ]
    .filter((text) => text !== '')
    .join('\n\n');
}

/** Three significant digits below 100, whole numbers from there, thousands separated. */
export function formatNumber(value: number): string {
  return value.toLocaleString('en-US', Math.abs(value) < 100 ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 0 });
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : [title, ...lines.map((line) => `  - ${line}`)].join('\n');
}
