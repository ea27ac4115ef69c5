import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { RunningTier } from '../bring-up';
import { Ledger } from '../drills/ledger';
import { missingIds } from '../drills/ledger-table';
import { debianPython } from '../engines/debian-python';
import { percentile } from '../load/percentile';
import type { ApplicationResult } from '../report/application-result';
import type { Check } from '../report/report';
import { Teardown } from '../teardown';
import { applications, type Surroundings } from './application-catalogue';
import { applicationCheck } from './application-metrics';
import { ApplicationProcess } from './application-process';
import { checkApplication } from './first-checks';
import { RequestClients } from './request-clients';

export interface ApplicationRehearsal extends Pick<RunningTier, 'tier' | 'connections'> {
  /** Directory of the application kit. */
  readonly kit: string;
  /** Of the load before the faults. */
  readonly loadSeconds: number;
  readonly onProgress: (what: string) => void;
  readonly signal: AbortSignal;
}

const port = 8000;
/** Within which every client must have booked again; longer than the kit tries and the pooler lets wait. */
const longestRecoverySeconds = 45;
const toldErrors = 2;

/** When each part of the load began, in seconds of the ledgers' clock. */
interface Beginnings {
  readonly load: number;
  readonly replacement: number;
  readonly restart: number;
  /** Since when every client must have booked again. */
  readonly restarted: number;
}

/**
 * Runs an application for each driver on the kit as it stands, loads all of them at once, replaces every task of the
 * pooler under them and restarts the primary.
 */
export async function rehearseApplication(rehearsal: ApplicationRehearsal): Promise<readonly ApplicationResult[]> {
  const { tier, onProgress, signal } = rehearsal;
  const teardown = new Teardown();
  try {
    const running = await startApplications(rehearsal, teardown);
    onProgress("sessions, statements and the pool's size");
    const first = await Promise.all(running.map(checkApplication));

    const clock = new Ledger();
    const clients = running.map((application) => new RequestClients(application, tier.databases.replicas.length > 0, clock));
    const span = async (what: string, act: () => Promise<void>): Promise<readonly [from: number, to: number]> => {
      onProgress(what);
      const from = clock.seconds;
      await act();
      const to = clock.seconds;
      await allCommittedSince(clients, to, signal);
      return [from, to];
    };
    const { server } = tier.databases.primary;
    let began: Beginnings;
    try {
      const [load] = await span('load', () => sleep(rehearsal.loadSeconds * 1000, undefined, { signal }));
      const [replacement] = await span('every pooler is replaced', () => tier.pooler.roll());
      const [restart, restarted] = await span('the primary restarts', async () => {
        await server.halt('fast');
        await server.launch();
      });
      began = { load, replacement, restart, restarted };
    } finally {
      await Promise.all(clients.map((each) => each.stop()));
    }
    // A replica looks for its primary every few seconds; whoever looks at the tier next would find one that receives nothing.
    await Promise.all(tier.databases.replicas.map((replica) => replica.server.waitForReplay()));
    return await Promise.all(clients.map((each, index) => resultOf(rehearsal, running[index]!, first[index]!, each, began)));
  } finally {
    await teardown.run();
  }
}

async function startApplications({ tier, connections, kit, onProgress }: ApplicationRehearsal, teardown: Teardown): Promise<readonly ApplicationProcess[]> {
  await debianPython('2.0', onProgress);
  onProgress('starting');
  const { site, pooler } = tier;
  return Promise.all(
    applications.map(async (application, index) => {
      // Each on an application host of its own, as the balancer sees it.
      const host = pooler.addresses[index % pooler.addresses.length]!;
      const names = Object.fromEntries([...site.resolver.names].map(([name, address]) => [name, address === pooler.addresses[0] ? host : address]));
      const hostsFile = join(site.directory, `hosts-${application.name}`);
      await writeFile(hostsFile, Object.entries(names).map(([name, address]) => `${address} ${name}\n`).join(''));
      const surroundings: Surroundings = { kit, address: site.addresses.next(), port, hostsFile, names, authorityFile: connections.readWrite.verification?.authorityFile, awsEnvironment: site.aws.environment };
      const running = await ApplicationProcess.start(application, surroundings);
      teardown.defer(application.name, () => running.stop());
      return running;
    }),
  );
}

/** Waits until every client has booked since then, or never will. */
async function allCommittedSince(clients: readonly RequestClients[], seconds: number, signal: AbortSignal): Promise<void> {
  const waiting = (): boolean => clients.some(({ ledger, numbers }) => ledger.allCommittedSince(seconds, numbers) === undefined);
  while (waiting() && clients[0]!.ledger.seconds - seconds < longestRecoverySeconds) await sleep(50, undefined, { signal });
}

async function resultOf(
  { tier, connections }: ApplicationRehearsal,
  { application: { name, title } }: ApplicationProcess,
  first: readonly Check[],
  { ledger, numbers, latencies, reads, misplacedReads }: RequestClients,
  began: Beginnings,
): Promise<ApplicationResult> {
  const errorsWithin = (from: number, to: number) => ledger.errors.filter(({ atSeconds }) => atSeconds >= from && atSeconds < to);
  const duringLoad = errorsWithin(began.load, began.replacement);
  const duringReplacement = errorsWithin(began.replacement, began.restart);
  const duringRestart = errorsWithin(began.restart, Infinity);
  const beforeFirstStatement = duringRestart.filter(({ stage }) => stage === 'begin');
  const underWay = duringRestart.filter(({ stage }) => stage !== 'begin');
  const mostUnderWay = Math.max(...numbers.map((number) => underWay.filter(({ client }) => client === number).length));
  const lost = await missingIds(tier.databases.primary.server, connections.direct.database, [...ledger.acknowledged.keys()], 'appointments');
  const served = latencies.filter(({ atSeconds }) => atSeconds < began.replacement).map(({ ms }) => ms);
  return {
    name,
    title,
    requestsPerSecond: served.length / (began.replacement - began.load),
    p95Ms: served.length > 0 ? percentile(served, 95) : null,
    longestSilenceSeconds: ledger.longestSilenceSeconds,
    checks: [
      applicationCheck('misplaced-reads', misplacedReads, `of ${reads}`),
      ...first,
      applicationCheck('load-errors', duringLoad.length, wordsOf(duringLoad)),
      applicationCheck('replacement-errors', duringReplacement.length, wordsOf(duringReplacement)),
      applicationCheck('restart-errors', beforeFirstStatement.length, wordsOf(beforeFirstStatement)),
      applicationCheck('restart-under-way', mostUnderWay, wordsOf(underWay)),
      applicationCheck('not-back', numbers.filter((number) => ledger.allCommittedSince(began.restarted, [number]) === undefined).length, `of ${numbers.length}`),
      applicationCheck('lost-writes', lost.length, `of ${ledger.acknowledged.size}`),
    ],
  };
}

function wordsOf(errors: Ledger['errors']): string | undefined {
  const words = new Set(errors.map(({ stage, message }) => `${stage}: ${message}`));
  return words.size > 0 ? [...words].slice(0, toldErrors).join('; ') : undefined;
}
