import { Client } from 'pg';

import type { DatabaseCredentials, DatabaseEndpoint } from '../database/connect';

const connectTimeoutMs = 5000;

/** Opens a session through the pooler, or on its admin console. The caller ends it. */
export async function connectPooler(endpoint: DatabaseEndpoint, { username, password }: DatabaseCredentials): Promise<Client> {
  const client = new Client({
    ...endpoint,
    user: username,
    password,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: connectTimeoutMs,
    // A task makes its certificate at its start; SCRAM tells both sides that the other knows the verifier.
    ssl: { rejectUnauthorized: false },
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
