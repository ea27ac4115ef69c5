import { join } from 'node:path';

import { type AssemblyStack, readEnvironment } from '../assembly/environment-assembly';
import { Connections } from './connections';
import type { PoolerServiceOptions } from './deployment/pooler-service';
import { TierUnderRehearsal } from './deployment/tier-under-rehearsal';
import { debianTools } from './engines/debian-tools';
import { loadSample } from './load/sample';
import type { Progress } from './report/progress';
import { openSite } from './site';
import { synthesize } from './synthesize';
import type { Teardown } from './teardown';

export interface BringUpOptions extends PoolerServiceOptions {
  readonly environment: string;
  /** A cloud assembly. @default - synthesized anew */
  readonly assembly?: string;
  /** Appointments of the sample. */
  readonly rows: number;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** An environment that runs here, with the sample in its tables; its index builds may still be under way. */
export interface RunningTier {
  readonly tier: TierUnderRehearsal;
  readonly connections: Connections;
  readonly stacks: readonly AssemblyStack[];
}

/** Brings an environment up; everything it starts is in the teardown. */
export async function bringUp(options: BringUpOptions, teardown: Teardown): Promise<RunningTier> {
  const { environment, progress, signal } = options;
  const onProgress = (what: string): void => progress.update(what);
  progress.begin('Programs');
  await debianTools(onProgress);

  const site = await openSite(teardown);
  const assembly = options.assembly ?? join(site.directory, 'assembly');
  if (options.assembly === undefined) {
    progress.begin(`Synthesizing ${environment}`);
    await synthesize(environment, assembly, signal);
  }
  const stacks = readEnvironment(assembly, environment);

  progress.begin(`Bringing ${environment} up`);
  const { maxSessions, poolerTasks, leavingTimeScale } = options;
  const tier = new TierUnderRehearsal(site, { maxSessions, poolerTasks, leavingTimeScale, signal, onProgress });
  await tier.deploy(stacks);
  const connections = new Connections(tier);

  // As at a first deploy: the application makes its tables afterwards, and finds its indexes built later.
  progress.begin(`Sample of ${options.rows.toLocaleString('en-US')} appointments`);
  await loadSample(() => connections.migrations(), options.rows, onProgress);
  return { tier, connections, stacks };
}
