import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { styleText } from 'node:util';

import { Progress } from '../lib/rehearsal/report/progress';
import { type Impact, impactMeanings } from '../lib/review/impact';
import { renderMarkdown } from '../lib/review/render/markdown';
import { renderText } from '../lib/review/render/text';
import { review } from '../lib/review/review';
import { commandLine } from './command-line';
import { assertWritableFile } from './writable';

/** 0: no open risk, 1: a risk that the change does not acknowledge, 2: it could not be reviewed, 130: interrupted. */
const exitCodes = { fine: 0, risk: 1, couldNotReview: 2, interrupted: 130 } as const;

interface Options {
  readonly environment?: string;
  readonly markdown?: string;
  readonly json: boolean;
  readonly all: boolean;
}

const program = commandLine('review')
  .description('Says what a change does to what is deployed, worst first. Synthesizes both revisions offline; needs neither credentials nor a network.')
  .argument('<base>', 'revision that is deployed, for example origin/main')
  .argument('[head]', 'revision to deploy; without, the working tree as it is')
  .option('-e, --environment <name>', 'review this one alone; without, all')
  .option('-m, --markdown <file>', 'write it as Markdown too, for a pull request')
  .option('--all', 'show what is collapsed as well', false)
  .option('--json', 'as JSON', false)
  .addHelpText('after', () => {
    const lines = Object.entries(impactMeanings).map(([impact, meaning]) => `  ${impact}: ${meaning}`);
    return (
      `\nWhat happens at deploy:\n${lines.join('\n')}\n\n` +
      'The first three are risks. One that is meant stands in review-acknowledgements.json of the same change, as\n' +
      '[{ "logicalId": "…", "reason": "…" }].\n\n' +
      'Exit codes: 0 no open risk, 1 a risk that is not acknowledged, 2 it could not be reviewed, 130 interrupted.'
    );
  })
  .parse();

const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupt.abort());

const [base, head] = program.args as [string, string?];
const { environment, markdown, json, all } = program.opts<Options>();
const progress = new Progress();
main().catch((error: Error) => {
  progress.fail();
  if (!interrupt.signal.aborted) process.stderr.write(`the change could not be reviewed: ${error.message}\n`);
  process.exitCode = interrupt.signal.aborted ? exitCodes.interrupted : exitCodes.couldNotReview;
});

async function main(): Promise<void> {
  if (markdown !== undefined) assertWritableFile(markdown, '--markdown');
  const report = await review({ project: join(__dirname, '..'), base, ...(head !== undefined && { head }), ...(environment !== undefined && { environment }), progress, signal: interrupt.signal });
  if (markdown !== undefined) writeFileSync(markdown, renderMarkdown(report));
  process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : `${renderText(report, { all, paint, width: process.stdout.columns ?? 160 })}\n`);
  process.exitCode = report.openRisks > 0 ? exitCodes.risk : exitCodes.fine;
}

function paint(impact: Impact, text: string): string {
  if (!process.stdout.isTTY || process.env.NO_COLOR) return text;
  return styleText(colours[impact], text);
}

const colours = { 'data loss': 'red', downtime: 'red', 'deploy fails': 'red', 'brief failover': 'yellow', 'rolling replacement': 'yellow', 'no interruption': 'green' } as const;
