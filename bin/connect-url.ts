import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';

import { Client, type ClientConfig } from 'pg';

/** https://www.postgresql.org/docs/17/libpq-ssl.html#LIBPQ-SSL-PROTECTION */
const sslModes = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;

export interface UrlConnection {
  /** Without user and password. */
  readonly name: string;
  readonly database: string;
  /** Opens a session; the caller ends it. */
  readonly connect: () => Promise<Client>;
}

/**
 * How a person reaches a server by its URL. The password may stand in PGPASSWORD or ~/.pgpass.
 *
 * @param ca file with certificate authorities in PEM. @default - encrypted where the server can, not verified
 * @throws Error that says what is wrong with it, and never quotes it: it may hold a password
 */
export function connectionOf(url: string, ca: string | undefined, applicationName: string): UrlConnection {
  const example = 'postgresql://user@host:5432/database?sslmode=require';
  if (!URL.canParse(url)) throw new Error(`the URL cannot be read; it looks like ${example}, with what is odd in a password percent-encoded`);
  const parsed = new URL(url);
  if (!/^postgres(ql)?:$/.test(parsed.protocol)) throw new Error(`the URL begins with ${parsed.protocol}//; it looks like ${example}`);
  const database = decodeURIComponent(parsed.pathname.slice(1)) || decodeURIComponent(parsed.username);
  const sslMode = parsed.searchParams.get('sslmode') ?? (ca === undefined ? 'prefer' : 'verify-full');
  if (!sslModes.includes(sslMode as (typeof sslModes)[number])) throw new Error(`sslmode=${sslMode} is none of ${sslModes.join(', ')}`);
  parsed.searchParams.delete('sslmode');
  const verified = ca === undefined ? { rejectUnauthorized: sslMode.startsWith('verify') } : { ca: readFileSync(ca, 'utf8') };
  const config: ClientConfig = { connectionString: parsed.href, application_name: applicationName, connectionTimeoutMillis: 10_000 };
  const connect = (ssl: ClientConfig['ssl']): Promise<Client> => open({ ...config, ssl });
  return {
    name: nameOf(parsed),
    database,
    connect: async () => {
      if (sslMode === 'disable') return connect(false);
      if (sslMode !== 'prefer') return connect(verified);
      // node-postgres does not fall back by itself, as libpq does.
      return connect(verified).catch((error: Error) => (error.message.includes('does not support SSL') ? connect(false) : Promise.reject(error)));
    },
  };
}

/** Short enough for a table: the first label of a host's name, and the port where it is not PostgreSQL's own. */
function nameOf({ hostname, port }: URL): string {
  const host = hostname === '' ? 'localhost' : isIP(hostname) ? hostname : hostname.split('.')[0]!;
  return port === '' || port === '5432' ? host : `${host}:${port}`;
}

async function open(config: ClientConfig): Promise<Client> {
  const client = new Client(config);
  // Without a listener, a connection that is lost while idle ends the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    void client.end().catch(() => undefined);
    throw error;
  }
  return client;
}
