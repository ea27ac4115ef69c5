import { join } from 'node:path';

import { assertResolvable } from '../assembly/assert-resolvable';
import { type AssemblyStack, readEnvironment } from '../assembly/environment-assembly';
import { Connections } from './connections';
import type { PoolerServiceOptions } from './deployment/pooler-service';
import { TierUnderRehearsal } from './deployment/tier-under-rehearsal';
import { debianTools } from './engines/debian-tools';
import { assertRoom } from './engines/disk-space';
import { postgresEngine } from './engines/postgres-engine';
import { KeptSample } from './load/kept-sample';
import { loadSample } from './load/sample';
import { assertPortsFree, portsOf } from './network/ports-in-use';
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
  /** Begin with the sample as it was kept, or keep it if that is not there. @default false */
  readonly keepsSample?: boolean;
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
  const site = await openSite(teardown);
  const assembly = options.assembly ?? join(site.directory, 'assembly');
  progress.begin(options.assembly === undefined ? `Synthesizing ${environment}, and finding programs` : 'Finding programs');
  // The first time, programs are unpacked: one core does that, and the other synthesizes.
  await allOf([debianTools(onProgress), postgresEngine(), ...(options.assembly === undefined ? [synthesize(environment, assembly, signal)] : [])]);
  const stacks = readEnvironment(assembly, environment);
  assertResolvable(stacks);
  await assertPortsFree(site.addresses.next(), portsOf(stacks));
  await assertRoom(site.directory, instancesOf(stacks), options.rows);

  progress.begin(`Bringing ${environment} up`);
  const { maxSessions, poolerTasks, leavingTimeScale } = options;
  const kept = options.keepsSample ? await KeptSample.of(stacks, options.rows) : undefined;
  const tier = new TierUnderRehearsal(site, { maxSessions, poolerTasks, leavingTimeScale, signal, onProgress, ...(kept?.data !== undefined && { keptData: kept.data }) });
  await tier.deploy(stacks);
  const connections = new Connections(tier);
  if (kept?.data !== undefined) return { tier, connections, stacks };

  // As at a first deploy: the application makes its tables afterwards, and finds its indexes built later.
  progress.begin(`Sample of ${options.rows.toLocaleString('en-US')} appointments`);
  await loadSample(() => connections.migrations(), options.rows, onProgress);
  if (kept) {
    onProgress('kept for the next time');
    await kept.keep(tier.databases.primary.server);
  }
  return { tier, connections, stacks };
}

/** Waits for all, so that none of them goes on when one has failed. @throws the first failure */
async function allOf(works: readonly Promise<unknown>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(works)) if (outcome.status === 'rejected') throw outcome.reason;
}

/** Data directories that the template makes: one for each instance, and one for the standby of a Multi-AZ one. */
function instancesOf(stacks: readonly AssemblyStack[]): number {
  const instances = stacks.flatMap(({ template }) => Object.values(template.Resources)).filter(({ Type }) => Type === 'AWS::RDS::DBInstance');
  return instances.length + instances.filter(({ Properties }) => Properties?.MultiAZ === true).length;
}
