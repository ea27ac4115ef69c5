import { createHash } from 'node:crypto';

import { RDSClient } from '@aws-sdk/client-rds';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { CdkCustomResourceEvent, CdkCustomResourceResponse, Context } from 'aws-lambda';

import { readCredentials } from '../database/connect';
import { pendingReboots } from '../indexes/instance-state';
import { connectPooler } from '../pooler/connect-pooler';
import { smokeCheckEnvironment } from './smoke-check.contract';
import { runSmokeSteps, smokeSteps } from './smoke-run';

const rds = new RDSClient();
const secrets = new SecretsManagerClient();
/** Time that the function keeps for its answer. */
const reserveMs = 15_000;

/**
 * Lets a deploy through once a write and a read have travelled the tier. Its physical id names what was proven last, so
 * that CloudFormation's way back to that, after a deploy that failed, only looks on: a rollback must not fail too.
 */
export async function handler(event: CdkCustomResourceEvent, context: Context): Promise<CdkCustomResourceResponse> {
  if (event.RequestType === 'Delete') return { PhysicalResourceId: event.PhysicalResourceId };
  const physicalResourceId = `proven-${createHash('sha256').update(JSON.stringify(Object.entries(event.ResourceProperties).sort())).digest('hex').slice(0, 16)}`;
  const isReturn = event.RequestType === 'Update' && event.PhysicalResourceId === physicalResourceId;
  try {
    const credentials = await readCredentials(secrets, variable(smokeCheckEnvironment.secretArn));
    const endpoint = { host: variable(smokeCheckEnvironment.poolerHost), port: Number(variable(smokeCheckEnvironment.poolerPort)) };
    await runSmokeSteps({
      steps: smokeSteps(variable(smokeCheckEnvironment.database), variable(smokeCheckEnvironment.readOnlyDatabase)),
      connect: (database) => connectPooler({ ...endpoint, database }, credentials),
      deadline: new Date(Date.now() + (isReturn ? 0 : context.getRemainingTimeInMillis() - reserveMs)),
      log,
    });
  } catch (error) {
    if (!isReturn) throw error;
    log({ event: 'seen on the way back, and let through', problem: (error as Error).message });
  }
  const reboots = await pendingReboots(rds, variable(smokeCheckEnvironment.instanceIdentifiers).split(',')).catch((error: Error) => [error.message]);
  for (const reboot of reboots) log({ event: 'restart pending', reboot });
  return { PhysicalResourceId: physicalResourceId, Data: { Warnings: reboots.join('; ').slice(0, 1000) } };
}

function variable(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`environment variable ${name} is not set; the construct that makes this function sets it`);
  return value;
}

function log(event: Readonly<Record<string, unknown>>): void {
  console.log(JSON.stringify(event));
}
