import Table from 'cli-table3';
import wrap from 'word-wrap';

import { type Impact, isRisk } from '../impact';
import type { PoolRow } from '../pool-table';
import type { ReviewReport } from '../review-report';
import { summarize, type FindingSection, type GroupedFinding, groupFindings, verdictOf } from './grouped-findings';

export interface TextOptions {
  /** Shows what is collapsed as well. */
  readonly all: boolean;
  /** Of the terminal, in characters; lines are wrapped to it. */
  readonly width: number;
  /** Makes an impact stand out; identity where there are no colours. */
  readonly paint: (impact: Impact, text: string) => string;
}

/** The review for a terminal. */
export function renderText(report: ReviewReport, options: TextOptions): string {
  const { findings, pools, remarks, base, head, environments, worst, openRisks } = report;
  const acknowledgedRisks = findings.filter(({ acknowledged }) => acknowledged !== undefined).length;
  return [
    `${base} → ${head}: ${environments.join(', ')}`,
    ...remarks.map((remark) => hanging('', `note: ${remark}`, options.width)),
    ...groupFindings(findings).map((section) => renderSection(section, options)),
    ...Object.entries(pools).flatMap(([environment, rows]) => (rows.length > 0 ? [renderPools(environment, rows)] : [])),
    hanging('', verdictOf({ ...(worst && { worst }), openRisks, acknowledgedRisks }), options.width),
    ...(openRisks > 0 ? [hanging('', 'Acknowledge a risk that is meant in review-acknowledgements.json: [{ "logicalId": "…", "reason": "…" }]', options.width)] : []),
  ].join('\n\n');
}

function renderSection({ title, shown, collapsed }: FindingSection, options: TextOptions): string {
  const listed = options.all ? [...shown, ...collapsed] : shown;
  const counted = !options.all && collapsed.length > 0 ? [hanging('  ', `${collapsed.length} more, each a consequence or unnoticed (--all shows them): ${summarize(collapsed)}`, options.width)] : [];
  return [title, ...listed.map((finding) => renderFinding(finding, options)), ...counted].join('\n');
}

function renderFinding({ impact, name, logicalId, environments, what, atDeploy, acknowledged }: GroupedFinding, { paint, width }: TextOptions): string {
  const label = paint(impact, isRisk(impact) ? impact.toUpperCase() : impact);
  const id = name === logicalId || name === 'the stack' ? '' : ` (${logicalId})`;
  const details = [what, `at deploy: ${atDeploy}`, ...(acknowledged ? [`acknowledged: ${acknowledged}`] : [])];
  return [`  ${label}  ${name}${id}, ${environments.join(', ')}`, ...details.map((detail) => hanging('    ', detail, width))].join('\n');
}

/** Wrapped, with what follows the first line a little further in. */
function hanging(indent: string, text: string, width: number): string {
  const lines = wrap(text, { width: Math.max(20, width - indent.length - 2), indent: '', trim: true }).split('\n');
  return lines.map((line, index) => `${indent}${index === 0 ? '' : '  '}${line}`).join('\n');
}

function renderPools(environment: string, rows: readonly PoolRow[]): string {
  const table = new Table({ head: [environment, 'before', 'after'], colAligns: ['left', 'right', 'right'], style: { head: [], border: [] } });
  for (const { figure, before, after } of rows) table.push([figure, before, before === after ? '=' : after]);
  return table.toString();
}
