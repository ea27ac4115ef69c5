import { createHash } from 'node:crypto';

import { RDSClient } from '@aws-sdk/client-rds';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { CdkCustomResourceEvent, CdkCustomResourceResponse, Context } from 'aws-lambda';

import { readCredentials } from '../database/connect';
import { impatientClient, logEvent, requiredVariable } from '../function-runtime';
import { pendingReboots } from '../indexes/instance-state';
import { connectPooler, poolerVerification } from '../pooler/connect-pooler';
import { smokeCheckEnvironment } from './smoke-check.contract';
import { runSmokeSteps, smokeSteps } from './smoke-run';

const rds = new RDSClient(impatientClient);
const secrets = new SecretsManagerClient(impatientClient);
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
    const credentials = await readCredentials(secrets, requiredVariable(process.env, smokeCheckEnvironment.secretArn));
    const endpoint = { host: requiredVariable(process.env, smokeCheckEnvironment.poolerHost), port: Number(requiredVariable(process.env, smokeCheckEnvironment.poolerPort)) };
    const verification = poolerVerification(process.env);
    if (!verification) logEvent({ event: 'pooler not verified', why: 'each task makes its certificate at its start; pooler.certificateSecret gives it one that can be verified' });
    await runSmokeSteps({
      steps: smokeSteps(requiredVariable(process.env, smokeCheckEnvironment.database), requiredVariable(process.env, smokeCheckEnvironment.readOnlyDatabase)),
      connect: (database) => connectPooler({ ...endpoint, database }, credentials, verification),
      deadline: new Date(Date.now() + (isReturn ? 0 : context.getRemainingTimeInMillis() - reserveMs)),
      log: logEvent,
    });
  } catch (error) {
    if (!isReturn) throw error;
    logEvent({ event: 'seen on the way back, and let through', problem: (error as Error).message });
  }
  const reboots = await pendingReboots(rds, requiredVariable(process.env, smokeCheckEnvironment.instanceIdentifiers).split(',')).catch((error: Error) => [error.message]);
  for (const reboot of reboots) logEvent({ event: 'restart pending', reboot });
  return { PhysicalResourceId: physicalResourceId, Data: { Warnings: reboots.join('; ').slice(0, 1000) } };
}
