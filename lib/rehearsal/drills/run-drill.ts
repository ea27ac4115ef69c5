import { setTimeout as sleep } from 'node:timers/promises';

import { Teardown } from '../teardown';
import type { RunningTier } from '../bring-up';
import type { Drill, DrillScene } from './drill';
import type { DrillEvent, DrillResult } from './drill-result';
import { describeExpectations, type Figures, unmetExpectations } from './expectations';
import { Ledger } from './ledger';
import { LedgerClients } from './ledger-clients';
import { bookingStatements, makeLedgerTable, missingIds } from './ledger-table';

const usualClients = { count: 24, pauseMs: 50 };
/** Before the fault: every client has its connection, and the timeline shows what is normal. */
const warmUpSeconds = 2;
/** After which a client that has not committed again never will. */
const longestRecoverySeconds = 45;
const settleSeconds = 1;
/** Of each kind of message, for whoever reads what was not as expected. */
const toldErrors = 3;

/** Runs one drill with clients that write all the time, and asks the database afterwards for what they were promised. */
export async function runDrill(drill: Drill, { tier, connections }: RunningTier, signal: AbortSignal): Promise<DrillResult> {
  await makeLedgerTable(connections);
  const ledger = new Ledger();
  const events: DrillEvent[] = [];
  const measured = new Map<string, number>();
  const problems: string[] = [];
  const undo = new Teardown();
  const { count, pauseMs } = drill.clients ?? usualClients;
  const clients = new LedgerClients({ target: connections.readWrite, clients: count, pauseMs, statements: bookingStatements }, ledger);
  const wait = (seconds: number): Promise<void> => sleep(seconds * 1000, undefined, { signal });
  const scene: DrillScene = {
    tier,
    connections,
    ledger,
    clients: clients.numbers,
    wait,
    mark: (kind, what) => void events.push({ atSeconds: ledger.seconds, what, kind }),
    measure: (name, value) => void measured.set(name, value),
    defer: (what, act) => undo.defer(what, act),
    recovered: () => recovery(ledger, clients.numbers, events, wait),
    startClients: (options) => {
      const own = ledger.another();
      const others = new LedgerClients(options, own);
      undo.defer('further clients', () => others.stop());
      return { ledger: own, recovered: () => recovery(own, others.numbers, events, wait) };
    },
  };
  let recoverySeconds: number | null = null;
  try {
    await scene.wait(warmUpSeconds);
    await drill.run(scene);
    recoverySeconds = await scene.recovered();
    await scene.wait(settleSeconds);
  } finally {
    await clients.stop();
    for (const failure of await undo.run()) problems.push(failure.message);
  }
  const durationSeconds = ledger.seconds;
  const figures: Figures = {
    acknowledged: ledger.acknowledged.size,
    lost: (await missingIds(tier.databases.primary.server, connections.direct.database, [...ledger.acknowledged.keys()])).length,
    unknownOutcomes: ledger.unknown.size,
    errors: ledger.errors.length,
    mostErrorsOfAClient: ledger.mostErrorsOfAClient,
    mostInterruptionsOfAClient: ledger.mostInterruptionsOfAClient,
    visibleErrors: ledger.visibleErrors,
    mostVisibleErrorsOfAClient: ledger.mostVisibleErrorsOfAClient,
    errorsAfterFirstStatement: ledger.errorsAfterFirstStatement,
    longestSilenceSeconds: ledger.longestSilenceSeconds,
    recoverySeconds,
  };
  const definitions = drill.figures ?? [];
  problems.push(...unmetExpectations(drill.expectations, figures, definitions, measured));
  if (problems.length > 0) problems.push(...ledger.commonErrors(toldErrors).map((error) => `clients were told ${error}`));
  return {
    name: drill.name,
    title: drill.title,
    expected: describeExpectations(drill.expectations, definitions),
    why: drill.why,
    asExpected: problems.length === 0,
    problems,
    ...figures,
    durationSeconds,
    events,
    timeline: ledger.timeline(),
    metrics: definitions.flatMap((definition) => (measured.has(definition.name) ? [{ ...definition, value: measured.get(definition.name)! }] : [])),
  };
}

/** Waits until every client has committed since the last repair, or the first fault. */
async function recovery(ledger: Ledger, clients: readonly number[], events: readonly DrillEvent[], wait: (seconds: number) => Promise<void>): Promise<number | null> {
  const start = events.findLast(({ kind }) => kind === 'repair') ?? events.find(({ kind }) => kind === 'fault');
  if (!start) return null;
  for (;;) {
    const recoveredAt = ledger.allCommittedSince(start.atSeconds, clients);
    if (recoveredAt !== undefined) return recoveredAt - start.atSeconds;
    if (ledger.seconds - start.atSeconds > longestRecoverySeconds) return null;
    await wait(0.05);
  }
}
