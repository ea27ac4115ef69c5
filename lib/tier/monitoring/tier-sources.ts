import { ECSClient } from '@aws-sdk/client-ecs';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

import type { Source } from '../../diagnosis/source';
import { connect, readCredentials } from '../database/connect';
import { databaseEnvironment } from '../database/database.contract';
import { impatientClient, requiredVariable } from '../function-runtime';
import { connectPooler, poolerVerification } from '../pooler/connect-pooler';
import { taskAddresses } from '../pooler/running-tasks';
import { observerEnvironment } from './monitoring.contract';

const secrets = new SecretsManagerClient(impatientClient);
const ecs = new ECSClient(impatientClient);

export interface TierSources {
  readonly instances: readonly Source[];
  /** Admin consoles of the running tasks. */
  readonly tasks: readonly Source[];
}

/**
 * Everybody in the tier who can be asked, from the environment of an observing function.
 *
 * @param onProblem told if the tasks cannot be listed: that must not hide the instances
 */
export async function tierSources(environment: NodeJS.ProcessEnv, applicationName: string, onProblem: (problem: string) => void): Promise<TierSources> {
  const variable = (name: string): string => requiredVariable(environment, name);
  const credentials = await readCredentials(secrets, variable(databaseEnvironment.secretArn));
  const database = { port: Number(variable(databaseEnvironment.port)), database: variable(databaseEnvironment.name) };
  const instances = pairs(variable(observerEnvironment.instances)).map(([name, host]): Source => ({ name, connect: () => connect({ host, ...database }, credentials, applicationName) }));
  const verification = poolerVerification(environment);
  const console = { port: Number(variable(observerEnvironment.poolerPort)), database: 'pgbouncer' };
  const addresses = await taskAddresses(ecs, { cluster: variable(observerEnvironment.cluster), service: variable(observerEnvironment.service) }).catch((error: Error) => {
    onProblem(error.message);
    return [];
  });
  const tasks = addresses.map((host): Source => ({ name: host, connect: () => connectPooler({ host, ...console }, credentials, verification) }));
  return { instances, tasks };
}

/** `name=value`, by commas. */
export function pairs(text: string): readonly (readonly [string, string])[] {
  return text.split(',').map((entry) => {
    const [name = '', value = ''] = entry.split('=');
    return [name, value] as const;
  });
}
