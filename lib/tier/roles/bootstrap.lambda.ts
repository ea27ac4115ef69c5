import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { CdkCustomResourceEvent, CdkCustomResourceResponse } from 'aws-lambda';

import { connect, endpointFromEnvironment, readCredentials } from '../database/connect';
import { databaseEnvironment } from '../database/database.contract';
import { applyRoles, lockRoles } from './bootstrap';
import { connectionError } from './bootstrap-errors';
import { loginVerifiers } from './login-verifiers';
import { catalogueFromProperties } from './role-properties';
import { rolesAttributes, rolesEnvironment } from './roles.contract';
import { parseUserlist, renderUserlist } from './userlist';
import { readUserlist, storeUserlist } from './userlist-secret';

const secrets = new SecretsManagerClient();

/** An answer to CloudFormation may have 4 KB in all; the log has every warning. */
const maxWarningLength = 2000;

/** Creates and updates roles. A delete answers success and drops nothing: the database may have outlived the stack. */
export async function handler(event: CdkCustomResourceEvent): Promise<CdkCustomResourceResponse> {
  if (event.RequestType === 'Delete') return { PhysicalResourceId: event.PhysicalResourceId };
  const catalogue = catalogueFromProperties(event.ResourceProperties);
  const userlistArn = process.env[rolesEnvironment.userlistSecretArn]!;
  const master = await logIn(process.env[databaseEnvironment.secretArn]!);
  try {
    await lockRoles(master); // before anything is read that is written back
    const stored = await readUserlist(secrets, userlistArn);
    const secretArns = [...new Set(catalogue.logins.map(({ secret }) => secret))];
    const credentials = await Promise.all(
      secretArns.map(async (arn) => [arn, await readCredentials(secrets, arn)] as const),
    );
    const verifiers = loginVerifiers(catalogue.logins, new Map(credentials), parseUserlist(stored.text));
    const warnings = [...(await applyRoles(master, catalogue, verifiers.database)), ...verifiers.warnings];
    for (const warning of warnings) console.warn(warning);
    const userlistVersion = await storeUserlist(secrets, userlistArn, stored, renderUserlist(verifiers.userlist));
    return {
      PhysicalResourceId: 'roles',
      Data: {
        [rolesAttributes.userlistVersion]: userlistVersion,
        [rolesAttributes.warnings]: warnings.join('\n').slice(0, maxWarningLength),
      },
    };
  } finally {
    await master.end();
  }
}

async function logIn(secretArn: string) {
  const endpoint = endpointFromEnvironment(process.env);
  const credentials = await readCredentials(secrets, secretArn);
  return connect(endpoint, credentials, 'roles bootstrap').catch((error: Error) => {
    throw connectionError(error, { ...endpoint, username: credentials.username, secretArn });
  });
}
