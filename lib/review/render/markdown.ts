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
  const blocks = [
    ...opening.map((text): Block => ({ text })),
    ...groupFindings(findings).flatMap(renderSection),
    ...Object.entries(pools).flatMap(([environment, rows]): Block[] => (rows.length > 0 ? [{ text: renderPools(environment, rows) }] : [])),
  ];
  return `${joinFitting(blocks)}\n`;
}

/** A piece of the review that is shown whole or not at all. */
interface Block {
  readonly text: string;
  /** Findings in it. @default 0 */
  readonly findings?: number;
  /** Of a list: stands close to the item before it. @default false */
  readonly item?: boolean;
}

function renderSection({ title, shown, collapsed }: FindingSection): readonly Block[] {
  return [
    { text: `### ${title}` },
    ...shown.map((finding) => ({ text: renderFinding(finding), findings: 1, item: true })),
    ...(collapsed.length > 0
      ? [{ text: `<details><summary>${collapsed.length} more, each a consequence or unnoticed: ${summarize(collapsed)}</summary>\n\n${collapsed.map(renderFinding).join('\n')}\n\n</details>`, findings: collapsed.length }]
      : []),
  ];
}

function renderFinding({ impact, name, logicalId, environments, what, atDeploy, acknowledged }: GroupedFinding): string {
  const label = isRisk(impact) && acknowledged === undefined ? `⛔ **${impact}**` : `**${impact}**`;
  return `- ${label} ${code(name)}${name === logicalId || name === 'the stack' ? '' : ` (${code(logicalId)})`}, ${environments.join(', ')}: ${code(what)}<br>at deploy: ${escapeText(atDeploy)}${acknowledged ? `<br>acknowledged: ${escapeText(acknowledged)}` : ''}`;
}

function renderPools(environment: string, rows: readonly PoolRow[]): string {
  return [`| ${environment} | before | after |`, '|---|--:|--:|', ...rows.map(({ figure, before, after }) => `| ${cell(figure)} | ${cell(before)} | ${before === after ? '=' : `**${cell(after)}**`} |`)].join('\n');
}

/** Whole blocks as long as they fit, which are the worst ones; says how many findings did not. */
function joinFitting(blocks: readonly Block[]): string {
  let text = '';
  for (const [index, block] of blocks.entries()) {
    const gap = index === 0 ? '' : block.item && blocks[index - 1]!.item ? '\n' : '\n\n';
    if (text.length + gap.length + block.text.length > longest) {
      const left = blocks.slice(index).reduce((sum, { findings = 0 }) => sum + findings, 0);
      return `${text}\n\n_${left} findings more do not fit here; run npm run review for all._`;
    }
    text += gap + block.text;
  }
  return text;
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
