import { RDSClient } from '@aws-sdk/client-rds';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { CdkCustomResourceEvent, CdkCustomResourceIsCompleteEvent, CdkCustomResourceIsCompleteResponse, CdkCustomResourceResponse, Context } from 'aws-lambda';
import type { Client } from 'pg';

import { connect, endpointFromEnvironment, readCredentials } from '../database/connect';
import { databaseEnvironment } from '../database/database.contract';
import { indexesFromProperties } from './index-catalogue';
import { IndexReconciler } from './index-reconciler';
import { readCatalogue, storeCatalogue } from './index-store';
import { indexesEnvironment, indexesProperties, type IndexSummary } from './indexes.contract';
import { pendingReboots, waitUntilAvailable } from './instance-state';
import { summaryData } from './summary-data';

const physicalResourceId = 'indexes';
/** Time that a function keeps for its answer. */
const reserveMs = 20_000;

const rds = new RDSClient();
const secrets = new SecretsManagerClient();

/** Judges the whole catalogue, and accepts it. A delete drops nothing and does not ask the database. */
export async function onEvent(event: CdkCustomResourceEvent, context: Context): Promise<CdkCustomResourceResponse> {
  if (event.RequestType === 'Delete') return { PhysicalResourceId: event.PhysicalResourceId };
  const identifiers = instanceIdentifiers();
  await waitUntilAvailable(rds, identifiers[0]!, deadlineOf(context));
  const reconciler = reconcilerFor(event.ResourceProperties);
  const problems = await reconciler.validate();
  if (problems.length > 0) throw new Error(`${problems.length} of the indexes cannot be built:\n${problems.join('\n')}`);
  await withSession((session) => storeCatalogue(session, { properties: event.ResourceProperties, requestId: event.RequestId }));
  const reboots = await pendingReboots(rds, identifiers);
  for (const reboot of reboots) log({ event: 'restart pending', reboot });
  return { PhysicalResourceId: physicalResourceId, Data: summaryData(await reconciler.tick(), reboots) };
}

/** Goes on with the builds. Whoever waits for another catalogue than the accepted one only looks on. */
export async function isComplete(event: CdkCustomResourceIsCompleteEvent, context: Context): Promise<CdkCustomResourceIsCompleteResponse> {
  if (event.RequestType === 'Delete') return { IsComplete: true };
  const accepted = await withSession(readCatalogue);
  if (accepted?.requestId !== event.RequestId) return { IsComplete: true };
  const properties = event.ResourceProperties as Readonly<Record<string, string>>;
  if (properties[indexesProperties.wait] === 'started') return { IsComplete: true };
  const summary = await reconcilerFor(properties).run(deadlineOf(context));
  if (summary.failed.length > 0) throw new Error(summary.failed.join('\n'));
  const done = summary.building.length + summary.waiting.length === 0;
  return done ? { IsComplete: true, Data: summaryData(summary, []) } : { IsComplete: false };
}

/** By schedule: builds what was deferred or died, and goes on with what waits. */
export async function tick(_event: unknown, context: Context): Promise<IndexSummary | undefined> {
  const accepted = await withSession(readCatalogue);
  if (!accepted) return undefined;
  const summary = await reconcilerFor(accepted.properties).run(deadlineOf(context));
  log({ event: 'indexes looked at', ...summary });
  return summary;
}

function reconcilerFor(properties: Readonly<Record<string, unknown>>): IndexReconciler {
  return new IndexReconciler({ connect: openSession, indexes: indexesFromProperties(properties), log });
}

async function openSession(): Promise<Client> {
  return connect(endpointFromEnvironment(process.env), await readCredentials(secrets, process.env[databaseEnvironment.secretArn]!), 'index migrations');
}

async function withSession<Result>(use: (session: Client) => Promise<Result>): Promise<Result> {
  const session = await openSession();
  try {
    return await use(session);
  } finally {
    await session.end();
  }
}

function instanceIdentifiers(): readonly string[] {
  return process.env[indexesEnvironment.instanceIdentifiers]!.split(',');
}

function deadlineOf(context: Context): Date {
  return new Date(Date.now() + context.getRemainingTimeInMillis() - reserveMs);
}

function log(event: Readonly<Record<string, unknown>>): void {
  console.log(JSON.stringify(event));
}
