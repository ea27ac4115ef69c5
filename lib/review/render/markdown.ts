import { impactMeanings, isRisk } from '../impact';
import type { PoolRow } from '../pool-table';
import type { ReviewReport } from '../review-report';
import { summarize, type FindingSection, type GroupedFinding, groupFindings, verdictOf } from './grouped-findings';

/** GitHub refuses a comment of more than 65,536 characters. */
const longest = 60_000;

/** The review for a pull request. */
export function renderMarkdown(report: ReviewReport): string {
  const { findings, pools, remarks, base, head, environments, worst, openRisks } = report;
  const acknowledgedRisks = findings.filter(({ acknowledged }) => acknowledged !== undefined).length;
  const opening = [
    `## ${openRisks > 0 ? '⛔' : '✅'} ${verdictOf({ ...(worst && { worst }), openRisks, acknowledgedRisks })}`,
    `${code(base)} → ${code(head)}, ${environments.join(', ')}${worst ? ` — ${worst}: ${impactMeanings[worst]}` : ''}`,
    ...remarks.map((remark) => `> ${escapeText(remark)}`),
  ];
  const blocks = [...groupFindings(findings).flatMap(renderSection), ...Object.entries(pools).flatMap(([environment, rows]) => (rows.length > 0 ? [renderPools(environment, rows)] : []))];
  return `${[...opening, ...fitting(blocks, longest - opening.join('\n\n').length)].join('\n\n')}\n`;
}

function renderSection({ title, shown, collapsed }: FindingSection): readonly string[] {
  return [
    `### ${title}`,
    ...(shown.length > 0 ? [shown.map(renderFinding).join('\n')] : []),
    ...(collapsed.length > 0 ? [`<details><summary>${collapsed.length} more, each a consequence or unnoticed: ${summarize(collapsed)}</summary>\n\n${collapsed.map(renderFinding).join('\n')}\n\n</details>`] : []),
  ];
}

function renderFinding({ impact, name, logicalId, environments, what, atDeploy, acknowledged }: GroupedFinding): string {
  const label = isRisk(impact) && acknowledged === undefined ? `⛔ **${impact}**` : `**${impact}**`;
  return `- ${label} ${code(name)}${name === logicalId || name === 'the stack' ? '' : ` (${code(logicalId)})`}, ${environments.join(', ')}: ${code(what)}<br>at deploy: ${escapeText(atDeploy)}${acknowledged ? `<br>acknowledged: ${escapeText(acknowledged)}` : ''}`;
}

function renderPools(environment: string, rows: readonly PoolRow[]): string {
  return [`| ${environment} | before | after |`, '|---|--:|--:|', ...rows.map(({ figure, before, after }) => `| ${cell(figure)} | ${cell(before)} | ${before === after ? '=' : `**${cell(after)}**`} |`)].join('\n');
}

/** Whole blocks as long as they fit; says how many did not. */
function fitting(blocks: readonly string[], room: number): readonly string[] {
  const kept: string[] = [];
  let used = 0;
  for (const block of blocks) {
    if (used + block.length > room) return [...kept, `_${blocks.length - kept.length} blocks more do not fit here; run npm run review for all._`];
    kept.push(block);
    used += block.length + 2;
  }
  return kept;
}

/** A code span that holds backticks too. */
function code(text: string): string {
  const oneLine = text.replace(/\s+/g, ' ');
  const fence = '`'.repeat(Math.max(0, ...[...oneLine.matchAll(/`+/g)].map(([run]) => run.length)) + 1);
  return fence.length === 1 ? `\`${oneLine}\`` : `${fence} ${oneLine} ${fence}`;
}

function escapeText(text: string): string {
  return text.replace(/[\\`*_<>[\]|#]/g, (character) => `\\${character}`);
}

function cell(text: string): string {
  return escapeText(text);
}
