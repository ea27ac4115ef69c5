import { readFileSync } from 'node:fs';
import { checkServerIdentity } from 'node:tls';

import { Client, type ClientConfig } from 'pg';

import type { DatabaseCredentials, DatabaseEndpoint } from '../database/connect';
import { poolerVerificationEnvironment } from './pooler.contract';

const connectTimeoutMs = 5000;

/** How the pooler is verified where it shows a certificate of the team's. */
export interface PoolerVerification {
  /** For which the certificate must be, by whatever name the pooler is reached. */
  readonly hostName: string;
  /** By which it must be signed, PEM. */
  readonly authorities: string;
}

/** As a function's variables say it; undefined where a task makes its certificate at its start: nobody can verify that. */
export function poolerVerification(environment: NodeJS.ProcessEnv): PoolerVerification | undefined {
  const { [poolerVerificationEnvironment.hostName]: hostName, [poolerVerificationEnvironment.authorityFile]: file } = environment;
  return hostName === undefined || file === undefined ? undefined : { hostName, authorities: readFileSync(file, 'utf8') };
}

/**
 * Opens a session through the pooler, or on its admin console. The caller ends it.
 *
 * @param verification without it, SCRAM alone tells both sides that the other knows the verifier
 */
export async function connectPooler(endpoint: DatabaseEndpoint, { username, password }: DatabaseCredentials, verification?: PoolerVerification): Promise<Client> {
  const client = new Client({
    ...endpoint,
    user: username,
    password,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: connectTimeoutMs,
    ssl: poolerTls(verification),
  });
  client.on('error', () => undefined);
  await client.connect().catch((error: Error & { readonly code?: string }) => {
    if (!verification || !certificateErrors.test(error.code ?? '')) throw error;
    throw new Error(`the pooler's certificate is refused: ${error.message}; it must be for ${verification.hostName} and signed by one of the authorities in the configuration`, { cause: error });
  });
  return client;
}

/** As the `ssl` of a client. */
function poolerTls(verification?: PoolerVerification): ClientConfig['ssl'] {
  if (!verification) return { rejectUnauthorized: false };
  const { hostName, authorities: ca } = verification;
  return { ca, checkServerIdentity: (_host, certificate) => checkServerIdentity(hostName, certificate) };
}

/** https://nodejs.org/docs/latest-v22.x/api/tls.html#x509-certificate-error-codes */
const certificateErrors = /CERT|UNABLE_TO_(GET_ISSUER|VERIFY_LEAF)|HOSTNAME_MISMATCH|INVALID_CA/;
