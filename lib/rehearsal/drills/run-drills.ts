import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { bringUp, type RunningTier } from '../bring-up';
import type { Progress } from '../report/progress';
import { composeReport } from '../report/compose-report';
import type { Report } from '../report/report';
import { finishIndexBuilds } from '../scorecard/indexes';
import { synthesize } from '../synthesize';
import { Teardown } from '../teardown';
import type { Drill } from './drill';
import type { DrillResult } from './drill-result';
import { renderDrills } from './drill-table';
import { assertRecordable, recordDrills } from './record-drills';
import { runDrill } from './run-drill';

export interface DrillsOptions {
  readonly drills: readonly Drill[];
  readonly environment: string;
  /** A cloud assembly. @default - synthesized anew */
  readonly assembly?: string;
  /** Directory of the report. */
  readonly report: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Enough for every index of the guide to be used; a tier with them comes up in seconds. */
const rows = 10_000;
const maxSessions = 2000;
/** So that two are left when one is lost; within what autoscaling starts. */
const poolerTasks = 3;
/** A deployment takes four minutes on ECS, most of it waiting. */
const leavingTimeScale = 0.05;

/**
 * Brings the tier up, drills it, and brings it up again where a drill broke it.
 *
 * @returns whether one was not as expected
 * @throws Error if it could not run
 */
export async function runDrills(options: DrillsOptions): Promise<boolean> {
  const { drills, environment, progress, signal } = options;
  assertRecordable(options.report, environment);
  const startedAt = new Date();
  const workspace = await mkdtemp(join(tmpdir(), 'drills-'));
  const results: DrillResult[] = [];
  let stage: Stage | undefined;
  let report: Report | undefined;
  try {
    for (const drill of drills) {
      const { readReplicas = 0 } = drill;
      if (stage && stage.readReplicas !== readReplicas) stage = await close(stage);
      stage ??= await openStage({ ...options, assembly: options.assembly ?? (await synthesized(options, workspace, readReplicas)) }, readReplicas);
      if (!report || readReplicas === 0) report = composeReport(environment, startedAt, stage.running.tier);
      const lack = drill.lacks?.(stage.running.tier);
      if (lack !== undefined) {
        if (drills.length === 1) throw new Error(`${drill.name} needs another tier: ${lack}`);
        progress.begin(`${drill.title}: not drilled, since ${lack}`);
        continue;
      }
      progress.begin(`Drill: ${drill.title}`);
      const result = await runDrill(drill, stage.running, signal);
      results.push(result);
      progress.succeed(result.asExpected ? 'as expected' : `not as expected: ${result.problems[0]}`);
      if (drill.breaksTheTier || !result.asExpected) stage = await close(stage);
    }
    const path = recordDrills(options.report, results, report!);
    process.stdout.write(`${renderDrills(results)}\n\nreport: ${path}\n`);
    return results.some(({ asExpected }) => !asExpected);
  } finally {
    if (stage) await close(stage);
    await rm(workspace, { recursive: true, force: true });
  }
}

/** The environment's assembly with at least so many read replicas, made once. */
async function synthesized({ environment, progress, signal }: DrillsOptions, workspace: string, readReplicas: number): Promise<string> {
  const assembly = join(workspace, `assembly-${readReplicas}`);
  if (existsSync(assembly)) return assembly;
  progress.begin(`Synthesizing ${environment}${readReplicas === 0 ? '' : ` with ${readReplicas} read replicas`}`);
  await synthesize(environment, assembly, signal, undefined, readReplicas);
  return assembly;
}

/** A tier that runs, and how to stop it. */
interface Stage {
  readonly running: RunningTier;
  readonly teardown: Teardown;
  readonly readReplicas: number;
}

async function openStage({ environment, assembly, progress, signal }: DrillsOptions, readReplicas: number): Promise<Stage> {
  const teardown = new Teardown();
  try {
    const running = await bringUp({ environment, assembly, rows, maxSessions, poolerTasks, leavingTimeScale, progress, signal }, teardown);
    progress.begin('Index builds');
    await finishIndexBuilds({ ...running, rows, loadSeconds: 0, signal, onProgress: (what) => progress.update(what) });
    return { running, teardown, readReplicas };
  } catch (error) {
    await close({ teardown });
    throw error;
  }
}

async function close({ teardown }: Pick<Stage, 'teardown'>): Promise<undefined> {
  for (const failure of await teardown.run()) process.stderr.write(`${failure.message}\n`);
  return undefined;
}
