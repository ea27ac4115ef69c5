import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { Client } from 'pg';

import { databaseEnvironment } from './database.contract';

/** Where a database is reached directly, never through the pooler. */
export interface DatabaseEndpoint {
  readonly host: string;
  readonly port: number;
  readonly database: string;
}

/** What a secret of a database role holds. */
export interface DatabaseCredentials {
  readonly username: string;
  readonly password: string;
}

/**
 * Reads the endpoint from the function's environment.
 *
 * @throws Error that names every variable that is missing
 */
export function endpointFromEnvironment(environment: NodeJS.ProcessEnv): DatabaseEndpoint {
  const names = [databaseEnvironment.host, databaseEnvironment.port, databaseEnvironment.name] as const;
  const missing = names.filter((name) => !environment[name]);
  if (missing.length > 0) {
    throw new Error(`environment variables ${missing.join(', ')} are not set; the construct that makes this function sets them`);
  }
  const [host, port, database] = names.map((name) => environment[name]!) as [string, string, string];
  return { host, port: Number(port), database };
}

/**
 * Reads the credentials of a database role.
 *
 * @throws Error that names the secret and the key that is missing; never the value
 */
export async function readCredentials(secrets: SecretsManagerClient, secretArn: string): Promise<DatabaseCredentials> {
  const { SecretString: text } = await secrets.send(new GetSecretValueCommand({ SecretId: secretArn }));
  return parseCredentials(text, secretArn);
}

/**
 * Reads the value of a secret of a database role.
 *
 * @returns the credentials, and whatever else stands beside them
 * @throws Error that names the secret and the key that is missing; never the value
 */
export function parseCredentials(text: string | undefined, secretArn: string): DatabaseCredentials {
  let secret: Partial<DatabaseCredentials> | null;
  try {
    secret = JSON.parse(text ?? '') as Partial<DatabaseCredentials> | null;
  } catch {
    // The parser's own message would quote the secret.
    throw new Error(`secret ${secretArn} is not a JSON object`);
  }
  const { username, password } = secret ?? {};
  if (!isText(username) || !isText(password)) {
    throw new Error(`secret ${secretArn} has no ${isText(username) ? '"password"' : '"username"'}; the tier expects both, as texts`);
  }
  return { ...secret, username, password };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/**
 * Opens a session over verified TLS. The caller ends it.
 *
 * @param applicationName shown in pg_stat_activity, so that who blocks whom can be told
 */
export async function connect(
  endpoint: DatabaseEndpoint,
  credentials: DatabaseCredentials,
  applicationName: string,
): Promise<Client> {
  const client = new Client({
    host: endpoint.host,
    port: endpoint.port,
    database: endpoint.database,
    user: credentials.username,
    password: credentials.password,
    application_name: applicationName,
    connectionTimeoutMillis: 10_000,
    ssl: { rejectUnauthorized: true },
  });
  // Without a listener, a connection that is lost while idle ends the process.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
