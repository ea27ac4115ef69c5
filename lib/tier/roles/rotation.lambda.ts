import { ECSClient } from '@aws-sdk/client-ecs';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { Context, SecretsManagerRotationEvent } from 'aws-lambda';
import type { Client } from 'pg';

import { connect, type DatabaseEndpoint, endpointFromEnvironment, parseCredentials, readCredentials } from '../database/connect';
import { databaseEnvironment } from '../database/database.contract';
import { logEvent, requiredVariable } from '../function-runtime';
import { poolerVerification } from '../pooler/connect-pooler';
import { rolesEnvironment, rotationEnvironment } from './roles.contract';
import { RotationPooler } from './rotation-pooler';
import { RotationSecret } from './rotation-secret';
import { type Rotation, rotationSteps } from './rotation-steps';
import type { RotatedSecret } from './rotation-turn';
import { readUserlist, storeUserlist } from './userlist-secret';

const secrets = new SecretsManagerClient();
const ecs = new ECSClient();

/** What is left of the function's time for its own answer. */
const marginMs = 20_000;

/** Called by Secrets Manager once for each step. */
export async function handler(event: SecretsManagerRotationEvent, context: Pick<Context, 'getRemainingTimeInMillis'>): Promise<void> {
  const { SecretId: arn, ClientRequestToken: version, Step: step } = event;
  logEvent({ event: 'step', step, secret: arn, version });
  const rotation = rotationOf(arn, version);
  try {
    await rotationSteps[step](rotation, new Date(Date.now() + context.getRemainingTimeInMillis() - marginMs));
  } catch (error) {
    throw new Error(`${step} of secret ${arn}: ${(error as Error).message}`, { cause: error });
  }
}

function rotationOf(arn: string, version: string): Rotation {
  const rotated = (JSON.parse(requiredVariable(process.env, rotationEnvironment.rotatedSecrets)) as Record<string, RotatedSecret>)[arn];
  if (!rotated) throw new Error(`secret ${arn} is none that this function rotates`);
  const endpoint = endpointFromEnvironment(process.env);
  const userlistArn = requiredVariable(process.env, rolesEnvironment.userlistSecretArn);
  const cluster = requiredVariable(process.env, rotationEnvironment.cluster);
  const service = requiredVariable(process.env, rotationEnvironment.service);
  return {
    rotated,
    secret: new RotationSecret(secrets, arn, version),
    logIn: () => logIn(endpoint),
    logInAs: (credentials) => connect(endpoint, credentials, 'rotation test'),
    readUserlist: () => readUserlist(secrets, userlistArn),
    storeUserlist: (stored, text) => storeUserlist(secrets, userlistArn, stored, text),
    pooler: new RotationPooler(ecs, { cluster, service, port: Number(requiredVariable(process.env, rotationEnvironment.poolerPort)) }, poolerVerification(process.env)),
    log: logEvent,
  };
}

/** With the current password or, if a rotation of the function's own secret died half-way, with the one that is to follow. */
async function logIn(endpoint: DatabaseEndpoint): Promise<Client> {
  const arn = requiredVariable(process.env, databaseEnvironment.secretArn);
  try {
    return await connect(endpoint, await readCredentials(secrets, arn), 'rotation');
  } catch (error) {
    if ((error as { code?: string }).code !== invalidPassword) throw error;
    const pending = await secrets.send(new GetSecretValueCommand({ SecretId: arn, VersionStage: 'AWSPENDING' })).catch(() => undefined);
    if (!pending) throw new Error(`the database refuses the password that secret ${arn} holds; deploy again, so that the bootstrap of roles sets it`, { cause: error });
    return connect(endpoint, parseCredentials(pending.SecretString, arn), 'rotation');
  }
}

/** https://www.postgresql.org/docs/17/errcodes-appendix.html */
const invalidPassword = '28P01';
