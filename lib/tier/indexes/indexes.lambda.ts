import { RDSClient } from '@aws-sdk/client-rds';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { CdkCustomResourceEvent, CdkCustomResourceIsCompleteEvent, CdkCustomResourceIsCompleteResponse, CdkCustomResourceResponse, Context } from 'aws-lambda';
import type { Client } from 'pg';

import { connect, endpointFromEnvironment, readCredentials } from '../database/connect';
import { databaseEnvironment } from '../database/database.contract';
import { impatientClient, logEvent, requiredVariable } from '../function-runtime';
import { publishIndexMetrics } from './index-metrics';
import { catalogueFromProperties } from './index-properties';
import { IndexReconciler, type ReconcilerOptions } from './index-reconciler';
import { withPrepared } from './index-session';
import { acceptCatalogue, type AcceptedCatalogue, readCatalogue, returnToCatalogue } from './index-store';
import { isSettled } from './index-summary';
import { indexesEnvironment, indexesProperties, type IndexSummary } from './indexes.contract';
import { allocatedBytes, pendingReboots, waitUntilAvailable } from './instance-state';
import { isPassing } from './passing-errors';
import { failureReason, summaryData } from './summary-data';

const physicalResourceId = 'indexes';
/** Time that a function keeps for its answer. */
const reserveMs = 20_000;
/** Then a deploy that waits gives up by itself, and says why; CloudFormation would after an hour, without a word. */
const longestWaitSeconds = 50 * 60;

const lookAgainMs = 2000;

const rds = new RDSClient(impatientClient);
const secrets = new SecretsManagerClient(impatientClient);

/** Judges the whole catalogue, accepts it and starts. A rollback and a delete start nothing and drop nothing. */
export async function onEvent(event: CdkCustomResourceEvent, context: Context): Promise<CdkCustomResourceResponse> {
  // Without the database: it may be gone.
  if (event.RequestType === 'Delete') return { PhysicalResourceId: event.PhysicalResourceId };
  const { ResourceProperties: properties, RequestId: requestId } = event;
  const identifiers = instanceIdentifiers();
  const askedAtMs = Date.now();
  const patience = new Date(askedAtMs + context.getRemainingTimeInMillis() / 2);
  if (event.RequestType === 'Update' && (await patiently(patience, () => withPrepared(openSession, (session) => returnToCatalogue(session, properties, requestId))))) {
    logEvent({ event: 'catalogue returned to', requestId });
    return { PhysicalResourceId: physicalResourceId };
  }
  await waitUntilAvailable(rds, identifiers[0]!, patience).catch(unlessRdsIsSilent);
  const problems = await patiently(patience, () => reconcilerFor({ properties, generation: 0, rolledBack: false }).validate());
  for (const problem of problems) logEvent({ event: 'index refused', problem });
  if (problems.length > 0) throw new Error(failureReason(`${problems.length} of the indexes cannot be built`, problems));
  await patiently(patience, () => withPrepared(openSession, (session) => acceptCatalogue(session, properties, requestId, (Date.now() - askedAtMs) / 1000)));
  const reboots = await pendingReboots(rds, identifiers).catch((error: Error) => [`restarts that are pending are not known: ${error.message}`]);
  for (const reboot of reboots) logEvent({ event: 'restart pending', reboot });
  const summary = await patiently(patience, async () => (await acceptedReconciler())!.reconciler.tick());
  logEvent({ event: 'indexes looked at', ...summary });
  return { PhysicalResourceId: physicalResourceId, Data: summaryData(summary, reboots) };
}

/** Goes on with the builds. Whoever waits for another catalogue than the accepted one only looks on. */
export async function isComplete(event: CdkCustomResourceIsCompleteEvent, context: Context): Promise<CdkCustomResourceIsCompleteResponse> {
  if (event.RequestType === 'Delete' || event.ResourceProperties[indexesProperties.wait] === 'started') return { IsComplete: true };
  try {
    return await goOn(event, context);
  } catch (error) {
    if (!isPassing(error as Error)) throw error;
    // A failover must not fail a deploy whose builds are begun again after it.
    logEvent({ event: 'database not reached', problem: (error as Error).message });
    return { IsComplete: false };
  }
}

async function goOn(event: CdkCustomResourceIsCompleteEvent, context: Context): Promise<CdkCustomResourceIsCompleteResponse> {
  const found = await acceptedReconciler();
  if (found?.accepted.requestId !== event.RequestId || found.accepted.rolledBack) return { IsComplete: true };
  const endOfWait = Date.now() + (longestWaitSeconds - found.accepted.ageSeconds) * 1000;
  const summary = await found.reconciler.run(new Date(Math.min(deadlineOf(context).getTime(), endOfWait)));
  // The next look finds out by what: another deploy, or a retry of this one.
  if (summary.superseded) return { IsComplete: false };
  if (summary.failed.length > 0) throw new Error(failureReason('indexes cannot be built', summary.failed));
  if (isSettled(summary)) return { IsComplete: true, Data: summaryData(summary, []) };
  if (Date.now() < endOfWait - 1000) return { IsComplete: false };
  const unfinished = [...summary.progress, ...summary.waits, ...summary.waiting.map((name) => `${name}: waits for its turn`)];
  throw new Error(failureReason(`not VALID after ${longestWaitSeconds / 60} minutes; the builds go on, and another deploy adopts them`, unfinished));
}

/** By schedule: builds what was deferred or died, goes on with what waits, and tells what has drifted. */
export async function tick(_event: unknown, context: Context): Promise<IndexSummary | undefined> {
  const found = await acceptedReconciler();
  if (!found) return undefined;
  const summary = await found.reconciler.run(deadlineOf(context));
  logEvent({ event: 'indexes looked at', ...summary });
  publishIndexMetrics(requiredVariable(process.env, indexesEnvironment.environmentName), summary);
  return summary;
}

async function acceptedReconciler(): Promise<{ readonly accepted: AcceptedCatalogue; readonly reconciler: IndexReconciler } | undefined> {
  const accepted = await withPrepared(openSession, readCatalogue);
  if (!accepted) return undefined;
  const isAccepted = async (session: Client): Promise<boolean> => {
    const now = await readCatalogue(session);
    return now?.requestId === accepted.requestId && now.generation === accepted.generation;
  };
  return { accepted, reconciler: reconcilerFor(accepted, { isAccepted, allocatedBytes: await allocatedBytes(rds, instanceIdentifiers()[0]!).catch(unlessRdsIsSilent) }) };
}

/** What RDS tells makes a deploy better; its silence must not stop one. */
function unlessRdsIsSilent(error: Error): undefined {
  if (!isPassing(error)) throw error;
  logEvent({ event: 'RDS does not tell', problem: error.message });
}

/** A failover or a lock in the way must not fail a deploy, and a rollback even less. */
async function patiently<Result>(until: Date, work: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const { message } = error as Error;
      if (!isPassing(error as Error)) throw error;
      if (Date.now() + lookAgainMs > until.getTime()) {
        throw new Error(`${requiredVariable(process.env, databaseEnvironment.host)} could not be worked with until ${until.toISOString()}: ${message}; look at the status of the instance and its security group, then deploy again`, { cause: error });
      }
      logEvent({ event: 'database not reached', problem: message });
      await new Promise((resolve) => setTimeout(resolve, lookAgainMs));
    }
  }
}

function reconcilerFor(
  { properties, generation, rolledBack }: Pick<AcceptedCatalogue, 'properties' | 'generation' | 'rolledBack'>,
  options: Pick<ReconcilerOptions, 'isAccepted' | 'allocatedBytes'> = {},
): IndexReconciler {
  return new IndexReconciler({
    connect: openSession,
    catalogue: catalogueFromProperties(properties),
    generation,
    rolledBack,
    log: logEvent,
    tablesAtOnce: Number(properties[indexesProperties.tablesAtOnce]),
    cores: Number(requiredVariable(process.env, indexesEnvironment.coresForBuilds)),
    ...options,
  });
}

async function openSession(): Promise<Client> {
  return connect(endpointFromEnvironment(process.env), await readCredentials(secrets, requiredVariable(process.env, databaseEnvironment.secretArn)), 'index migrations');
}

function instanceIdentifiers(): readonly string[] {
  return requiredVariable(process.env, indexesEnvironment.instanceIdentifiers).split(',');
}

function deadlineOf(context: Context): Date {
  return new Date(Date.now() + context.getRemainingTimeInMillis() - reserveMs);
}
