import Table from 'cli-table3';

import type { Column, Diagnosis, Problem, Row } from './diagnosis';
import { formatCell } from './format-cell';
import { sectionHead } from './section-heads';

/** Statements are cut to this in tables; JSON has more of them. */
const cellLength = 160;

interface Layout {
  readonly heading: (text: string) => string;
  readonly item: (text: string, next?: string) => string;
  readonly table: (columns: readonly Column[], rows: readonly Row[]) => string;
}

/** @param width of the terminal, columns. @default 120 */
export function renderForTerminal(diagnosis: Diagnosis, width = 120): string {
  return render(diagnosis, {
    heading: (text) => `\n${text}`,
    item: (text, next) => `  ${text}${next ? `\n      → ${next}` : ''}`,
    table: (columns, rows) => terminalTable(columns, rows, width),
  });
}

/** GitHub's flavour. */
export function renderAsMarkdown(diagnosis: Diagnosis): string {
  return render(diagnosis, {
    heading: (text) => `\n## ${text}\n`,
    item: (text, next) => `- ${escapeMarkdown(text)}${next ? `\n  → ${escapeMarkdown(next)}` : ''}`,
    table: markdownTable,
  });
}

function render({ subject, takenAt, findings, problems, sections }: Diagnosis, { heading, item, table }: Layout): string {
  const empty = sections.filter(({ rows }) => rows.length === 0);
  return [
    `${subject}, ${takenAt.slice(0, 19).replace('T', ' ')} UTC`,
    heading('Findings'),
    ...(findings.length === 0 ? [item('nothing to act on')] : findings.map(({ severity, what, next, runbook }) => item(`${severity}: ${what}`, runbook ? `${next} (runbook: ${runbook})` : next))),
    ...(problems.length === 0 ? [] : [heading('Not read'), ...problems.map((problem) => item(problemText(problem)))]),
    ...sections.filter(({ rows }) => rows.length > 0).flatMap(({ title, about, columns, rows }) => [heading(title), about, table(columns, rows)]),
    ...(empty.length === 0 ? [] : [heading('Nothing to show'), item(empty.map(({ title }) => title).join(', '))]),
    '',
  ].join('\n');
}

function problemText({ source, section, problem }: Problem): string {
  const title = section && sectionHead(section).title;
  return `${source}${title ? `, ${title}` : ''}: ${problem}`;
}

/** Columns in which nothing is known are left out; what is too wide for the terminal is wrapped. */
function terminalTable(all: readonly Column[], rows: readonly Row[], width: number): string {
  const columns = all.filter(({ key }) => rows.some((row) => formatCell(row[key]) !== ''));
  const cells = rows.map((row) => columns.map(({ key, format }) => cut(formatCell(row[key], format))));
  const natural = columns.map(({ title }, position) => Math.max(title.length, ...cells.map((row) => row[position]!.length)) + 2);
  const longestWords = columns.map(({ title }, position) => Math.max(...[title, ...cells.map((row) => row[position]!)].flatMap((text) => text.split(' ')).map(({ length }) => length)) + 2);
  const widths = fit(natural, longestWords, width - columns.length - 1);
  const table = new Table({
    head: columns.map(({ title }) => title),
    colWidths: [...widths],
    colAligns: columns.map(({ format = 'text' }) => (format === 'text' ? 'left' : 'right')),
    wordWrap: true,
    wrapOnWordBoundary: true,
    style: { head: [], border: [], compact: true },
  });
  table.push(...cells.map((row) => [...row]));
  return table.toString();
}

/** Takes from the widest until all fit; nothing gets narrower than its longest word, or than half a line. */
function fit(widths: readonly number[], longestWords: readonly number[], available: number): readonly number[] {
  const fitted = [...widths];
  const least = longestWords.map((length) => Math.min(length, 40));
  while (fitted.reduce((sum, each) => sum + each, 0) > available) {
    const spare = fitted.map((each, position) => (each > least[position]! ? each : 0));
    const widest = spare.indexOf(Math.max(...spare));
    if (spare[widest] === 0) break;
    fitted[widest]! -= 1;
  }
  return fitted;
}

function markdownTable(all: readonly Column[], rows: readonly Row[]): string {
  const columns = all.filter(({ key }) => rows.some((row) => formatCell(row[key]) !== ''));
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    '',
    line(columns.map(({ title }) => title)),
    line(columns.map(({ format = 'text' }) => (format === 'text' ? '---' : '---:'))),
    ...rows.map((row) => line(columns.map(({ key, format }) => markdownCell(key, cut(formatCell(row[key], format)))))),
  ].join('\n');
}

function markdownCell(key: string, text: string): string {
  if (text === '') return '';
  return /query$/i.test(key) ? `\`${text.replaceAll('`', "'").replaceAll('|', '\\|')}\`` : escapeMarkdown(text);
}

function escapeMarkdown(text: string): string {
  return text.replace(/[\\|<>*_`[\]]/g, (character) => `\\${character}`);
}

function cut(text: string): string {
  return text.length > cellLength ? `${text.slice(0, cellLength - 1)}…` : text;
}
