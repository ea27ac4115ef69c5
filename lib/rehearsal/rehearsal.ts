import { join, resolve } from 'node:path';

import { readTierFacts } from '../application-kit/tier-facts';
import { writeApplicationKit } from '../application-kit/application-kit';
import type { AssemblyStack } from '../assembly/environment-assembly';
import { rehearseApplication } from './application/rehearse-application';
import { bringUp } from './bring-up';
import type { Connections } from './connections';
import type { ApplicationResult } from './report/application-result';
import { renderApplicationTable } from './report/application-table';
import { composeReport } from './report/compose-report';
import { headline } from './report/headline';
import type { Progress } from './report/progress';
import { missedAny, writeReport } from './report/report';
import { renderNotes, renderTargetTable } from './report/target-table';
import type { Bench } from './scorecard/bench';
import { forgetStatements, measureDiagnosis } from './scorecard/diagnosis';
import { finishIndexBuilds } from './scorecard/indexes';
import { measureScorecard } from './scorecard/scorecard';
import { measureSmokeCheck } from './scorecard/smoke-check';
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
  /** With think time; none leaves that target out. */
  readonly sessions: number;
  /** Run applications on the application kit as well. */
  readonly application: boolean;
  /** Begin with the sample as it was kept; the report says that loads were short. */
  readonly quick: boolean;
  /** Directory of the report. */
  readonly report: string;
  /** Leave everything running until the signal. */
  readonly keep: boolean;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** With applications, the pooler is replaced under them; on ECS that takes four minutes, most of it waiting. */
const leavingTimeScale = 0.05;

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
    const { tier, connections, stacks } = await bringUp(
      { ...options, keepsSample: options.quick, maxSessions: options.sessions + 2000, ...(options.application && { leavingTimeScale }) },
      teardown,
    );
    const bench: Bench = { tier, connections, rows: options.rows, loadSeconds: options.loadSeconds, signal, onProgress: (what) => progress.update(what) };

    progress.begin('Index builds');
    await finishIndexBuilds(bench);
    await forgetStatements(bench);
    const scorecard = await measureScorecard(bench, stacks, options);

    const application = options.application ? await runApplications(bench, options, stacks) : undefined;
    progress.begin('Smoke check');
    const smokeCheck = await measureSmokeCheck(bench);
    progress.begin('Diagnosis');
    const diagnosis = await measureDiagnosis(bench, options.report);
    const checks = [...scorecard.checks, smokeCheck, diagnosis.check];

    const composed = composeReport(environment, startedAt, tier, { ...scorecard, checks, ...(application && { application }) });
    const report = options.quick ? { ...composed, scaled: [...composed.scaled, quickly(options)] } : composed;
    const path = writeReport(options.report, report);
    progress.succeed();
    const tables = [renderTargetTable(checks), ...(application ? [renderApplicationTable(application)] : [])].join('\n\n');
    process.stdout.write(`${environment} ${headline(report).text}\n\n${tables}\n\n${renderNotes(report)}\n\n${diagnosis.findings}\n\nreport: ${path}, and report.html for people; diagnosis.md and diagnosis.json beside it\n`);
    if (options.keep) await keepRunning(connections, options);
    return missedAny(checks) || (application ?? []).some((each) => missedAny(each.checks));
  } finally {
    for (const failure of await teardown.run()) process.stderr.write(`${failure.message}\n`);
  }
}

/** On the kit that an application's team would generate from this very template. */
async function runApplications(bench: Bench, { environment, loadSeconds, progress }: RehearsalOptions, stacks: readonly AssemblyStack[]): Promise<readonly ApplicationResult[]> {
  const kit = join(bench.tier.site.directory, 'application-kit');
  writeApplicationKit(kit, readTierFacts(environment, stacks), stacks);
  return rehearseApplication({ ...bench, kit, loadSeconds, onProgress: (what) => progress.begin(`Applications: ${what}`) });
}

/** So that nobody takes it for a whole rehearsal. */
function quickly({ loadSeconds, loadTransactions, sessions }: RehearsalOptions): string {
  const left = sessions === 0 ? ', and no sessions with think time' : '';
  return `rehearsed with --quick: loads of ${loadSeconds} s, ${loadTransactions} transactions of each client in the guide's load test${left}; the primary began with the sample as it was kept, if it was`;
}

/** Waits for the signal, with everything running. */
async function keepRunning(connections: Connections, { report, signal }: RehearsalOptions): Promise<void> {
  const path = join(report, 'connections.json');
  connections.write(path);
  process.stdout.write(
    `\nEverything runs on until Ctrl-C; ${path} says where. For example:\n  psql "$(node -p 'require("${resolve(path)}").adminUrl')" -c 'SHOW POOLS'\n`,
  );
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}
