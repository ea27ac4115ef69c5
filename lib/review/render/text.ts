import Table from 'cli-table3';

import { type Impact, isRisk } from '../impact';
import type { PoolRow } from '../pool-table';
import type { ReviewReport } from '../review-report';
import { summarize, type FindingSection, type GroupedFinding, groupFindings, verdictOf } from './grouped-findings';

export interface TextOptions {
  /** Shows what is collapsed as well. */
  readonly all: boolean;
  /** Makes an impact stand out; identity where there are no colours. */
  readonly paint: (impact: Impact, text: string) => string;
}

/** The review for a terminal. */
export function renderText(report: ReviewReport, options: TextOptions): string {
  const { findings, pools, remarks, base, head, environments, worst, openRisks } = report;
  const acknowledgedRisks = findings.filter(({ acknowledged }) => acknowledged !== undefined).length;
  return [
    `${base} → ${head}: ${environments.join(', ')}`,
    ...remarks.map((remark) => `note: ${remark}`),
    ...groupFindings(findings).map((section) => renderSection(section, options)),
    ...Object.entries(pools).flatMap(([environment, rows]) => (rows.length > 0 ? [renderPools(environment, rows)] : [])),
    verdictOf({ ...(worst && { worst }), openRisks, acknowledgedRisks }),
    ...(openRisks > 0 ? ['Acknowledge a risk that is meant in review-acknowledgements.json: [{ "logicalId": "…", "reason": "…" }]'] : []),
  ].join('\n\n');
}

function renderSection({ title, shown, collapsed }: FindingSection, options: TextOptions): string {
  const listed = options.all ? [...shown, ...collapsed] : shown;
  const counted = !options.all && collapsed.length > 0 ? [`  ${collapsed.length} more, each a consequence or unnoticed (--all shows them): ${summarize(collapsed)}`] : [];
  return [title, ...listed.map((finding) => renderFinding(finding, options)), ...counted].join('\n');
}

function renderFinding({ impact, name, logicalId, environments, what, atDeploy, acknowledged }: GroupedFinding, { paint }: TextOptions): string {
  const label = paint(impact, isRisk(impact) ? impact.toUpperCase() : impact);
  const id = name === logicalId || name === 'the stack' ? '' : ` (${logicalId})`;
  return [`  ${label}  ${name}${id}, ${environments.join(', ')}`, `    ${what}`, `    at deploy: ${atDeploy}`, ...(acknowledged ? [`    acknowledged: ${acknowledged}`] : [])].join('\n');
}

function renderPools(environment: string, rows: readonly PoolRow[]): string {
  const table = new Table({ head: [environment, 'before', 'after'], colAligns: ['left', 'right', 'right'], style: { head: [], border: [] } });
  for (const { figure, before, after } of rows) table.push([figure, before, before === after ? '=' : after]);
  return table.toString();
}
