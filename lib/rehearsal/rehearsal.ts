import { join } from 'node:path';

import { bringUp } from './bring-up';
import type { Connections } from './connections';
import { composeReport } from './report/compose-report';
import { headline } from './report/headline';
import type { Progress } from './report/progress';
import { type Check, missedAny, writeReport } from './report/report';
import { renderNotes, renderTargetTable } from './report/target-table';
import type { Bench } from './scorecard/bench';
import { measureCollector } from './scorecard/collector';
import { measureConnectionOverhead, measureConnections, measureLoadTest } from './scorecard/connections';
import { measureDiagnosis } from './scorecard/diagnosis';
import { finishIndexBuilds, measureIndexes } from './scorecard/indexes';
import { measureSmokeCheck } from './scorecard/smoke-check';
import { measureIndexedQuery, measureThroughput } from './scorecard/throughput';
import { Teardown } from './teardown';

export interface RehearsalOptions {
  readonly environment: string;
  /** A cloud assembly. @default - synthesized anew */
  readonly assembly?: string;
  /** Appointments of the sample. */
  readonly rows: number;
  /** Of each of the 100 clients of the guide's load test. */
  readonly loadTransactions: number;
  /** Of each of the other loads. */
  readonly loadSeconds: number;
  /** With think time. */
  readonly sessions: number;
  /** Directory of the report. */
  readonly report: string;
  /** Leave everything running until the signal. */
  readonly keep: boolean;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/**
 * Brings an environment up, loads it, measures it and takes it down again.
 *
 * @returns whether a target was missed
 * @throws Error if it could not run
 */
export async function rehearse(options: RehearsalOptions): Promise<boolean> {
  const { environment, progress, signal } = options;
  const startedAt = new Date();
  const teardown = new Teardown();
  try {
    const { tier, connections, stacks } = await bringUp({ ...options, maxSessions: options.sessions + 1000 }, teardown);
    const bench: Bench = { tier, connections, rows: options.rows, loadSeconds: options.loadSeconds, signal, onProgress: (what) => progress.update(what) };

    progress.begin('Index builds');
    await finishIndexBuilds(bench);
    const measured = await measure(bench, options, async () => measureIndexes(bench, stacks));

    progress.begin('Smoke check');
    const smokeCheck = await measureSmokeCheck(bench);
    progress.begin('Diagnosis');
    const diagnosis = await measureDiagnosis(bench, options.report);
    const checks = [...measured, smokeCheck, diagnosis.check];

    const report = composeReport(environment, startedAt, tier, checks);
    const path = writeReport(options.report, report);
    progress.succeed();
    process.stdout.write(`${environment} ${headline(report).text}\n\n${renderTargetTable(checks)}\n\n${renderNotes(report)}\n\n${diagnosis.findings}\n\nreport: ${path}, and report.html for people; diagnosis.md and diagnosis.json beside it\n`);
    if (options.keep) await keepRunning(connections, options);
    return missedAny(checks);
  } finally {
    for (const failure of await teardown.run()) process.stderr.write(`${failure.message}\n`);
  }
}

async function measure(bench: Bench, options: RehearsalOptions, indexes: () => Promise<Check>): Promise<readonly Check[]> {
  const { progress } = options;
  const step = async <Result>(title: string, run: () => Promise<Result>): Promise<Result> => {
    progress.begin(title);
    return run();
  };
  const indexesValid = await step('Measuring: indexes', indexes);
  const overhead = await step('Measuring: logins', () => measureConnectionOverhead(bench));
  const loadTest = await step("Measuring: the guide's load test", () => measureLoadTest(bench, options.loadTransactions));
  const indexedQuery = await step('Measuring: indexed queries', () => measureIndexedQuery(bench));
  const throughput = await step('Measuring: reads and writes', () => measureThroughput(bench));
  const connections = await step(`Measuring: 1,000 busy connections and ${options.sessions.toLocaleString('en-US')} sessions`, () => measureConnections(bench, options.sessions));
  const collector = await step('Measuring: metrics', () => measureCollector(bench));
  return [...connections, indexedQuery, ...throughput, ...loadTest, overhead, indexesValid, collector];
}

/** Waits for the signal, with everything running. */
async function keepRunning(connections: Connections, { report, signal }: RehearsalOptions): Promise<void> {
  const path = join(report, 'connections.json');
  connections.write(path);
  process.stdout.write(
    `\nEverything runs on until Ctrl-C; ${path} says where. For example:\n  psql "$(node -p 'require("./${path}").adminUrl')" -c 'SHOW POOLS'\n`,
  );
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}
