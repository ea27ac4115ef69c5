import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { type ConnectionOptions, rootCertificates } from 'node:tls';

import { Client, type ClientConfig } from 'pg';

/** https://www.postgresql.org/docs/17/libpq-ssl.html#LIBPQ-SSL-PROTECTION */
const sslModes = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
type SslMode = (typeof sslModes)[number];

const example = 'postgresql://user@host:5432/database?sslmode=verify-full';
const rdsAuthorities = join(__dirname, '../../assets/pgbouncer/rds-ca.pem');

export interface UrlConnection {
  /** Host and port as short as a table wants them, without user and password. */
  readonly name: string;
  readonly database: string;
  /** Opens a session; the caller ends it. What it throws names host and port, and never the password. */
  readonly connect: () => Promise<Client>;
}

export interface UrlConnectionOptions {
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  /** File of certificate authorities in PEM; with it, sslmode is verify-full unless the URL says another. @default - sslrootcert of the URL, or PGSSLROOTCERT */
  readonly ca?: string;
  /** Variables as psql reads them: PGHOST, PGPORT, PGSSLMODE, PGSSLROOTCERT, … @default - none */
  readonly environment?: NodeJS.ProcessEnv;
}

/** How --help tells of it. */
export const connectionHelp = `A password may stand in PGPASSWORD or ~/.pgpass. sslmode is one of ${sslModes.join(', ')}, as psql takes it. The last two verify the
server's certificate: by --ca or sslrootcert, else by the authorities of RDS and the public ones.`;

/**
 * How a person reaches a server by its URL, which says what it would say to psql.
 *
 * @throws Error that says what is wrong with the URL, and never quotes it: it may hold a password
 */
export function connectionOf(url: string, { applicationName, ca, environment = {} }: UrlConnectionOptions): UrlConnection {
  if (!URL.canParse(url)) throw new Error(`the URL cannot be read; it looks like ${example}, with what is odd in a password percent-encoded`);
  const parsed = new URL(url);
  if (!/^postgres(ql)?:$/.test(parsed.protocol)) throw new Error(`the URL begins with ${parsed.protocol}//; it looks like ${example}`);
  const host = decodeURIComponent(parsed.hostname) || parsed.searchParams.get('host') || environment.PGHOST || 'localhost';
  const database = decodeURIComponent(parsed.pathname.slice(1)) || decodeURIComponent(parsed.username);
  const port = parsed.port || parsed.searchParams.get('port') || environment.PGPORT || '5432';
  const { mode, ssl } = encryptionOf(host, take(parsed, environment, 'sslmode', 'sslrootcert', 'sslcert', 'sslkey'), ca);
  // What node-postgres makes of the parameters of TLS differs from libpq: they are gone from the URL by now.
  const config: ClientConfig = { connectionString: parsed.href, application_name: applicationName, connectionTimeoutMillis: 10_000 };
  return {
    name: nameOf(host, port),
    database,
    connect: async () => {
      try {
        // node-postgres does not fall back by itself, as libpq does.
        return await open({ ...config, ssl }).catch((error: Error) => (mode === 'prefer' && ssl && speaksNoTls(error) ? open({ ...config, ssl: false }) : Promise.reject(error)));
      } catch (error) {
        throw explained(error as Error, `${host}:${port}`, ca);
      }
    },
  };
}

function take(url: URL, environment: NodeJS.ProcessEnv, ...names: readonly string[]): Readonly<Record<string, string | undefined>> {
  const taken = Object.fromEntries(names.map((name) => [name, url.searchParams.get(name) ?? environment[`PG${name.toUpperCase()}`]]));
  for (const name of names) url.searchParams.delete(name);
  return taken;
}

function encryptionOf(host: string, { sslmode, sslrootcert, sslcert, sslkey }: Readonly<Record<string, string | undefined>>, ca: string | undefined): { readonly mode: SslMode; readonly ssl: false | ConnectionOptions } {
  const authorities = ca ?? sslrootcert;
  const said = sslmode ?? (authorities === undefined ? 'prefer' : 'verify-full');
  if (!sslModes.includes(said as SslMode)) throw new Error(`sslmode=${said} is none of ${sslModes.join(', ')}`);
  // libpq takes require with authorities for verify-ca.
  const mode = said === 'require' && authorities !== undefined ? 'verify-ca' : (said as SslMode);
  if (mode === 'disable' || host.startsWith('/')) return { mode, ssl: false };
  return {
    mode,
    ssl: {
      ...(sslcert && { cert: textOf('sslcert', sslcert) }),
      ...(sslkey && { key: textOf('sslkey', sslkey) }),
      ...(mode.startsWith('verify') ? { ca: [...authoritiesOf(authorities, ca === undefined ? 'sslrootcert' : '--ca')], rejectUnauthorized: true } : { rejectUnauthorized: false }),
      ...(mode === 'verify-ca' && { checkServerIdentity: () => undefined }),
    },
  };
}

function authoritiesOf(file: string | undefined, parameter: string): readonly string[] {
  if (file === 'system') return rootCertificates;
  return file === undefined ? [readFileSync(rdsAuthorities, 'utf8'), ...rootCertificates] : [textOf(parameter, file)];
}

function textOf(parameter: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`${parameter} ${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`, { cause: error });
  }
}

/** Short enough for a table: the first label of a host's name, and the port where it is not PostgreSQL's own. */
function nameOf(host: string, port: string): string {
  const short = isIP(host) || host.startsWith('/') ? host : host.split('.')[0]!;
  return port === '5432' ? short : `${short}:${port}`;
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

function speaksNoTls({ message }: Error): boolean {
  return message.includes('does not support SSL');
}

/** The reason, where it was, and what to do about those that a person meets first. */
function explained(error: Error, address: string, ca: string | undefined): Error {
  // A name with several addresses fails with one error for each, and no message of its own.
  const reason = error instanceof AggregateError ? error.errors.map((each: Error) => each.message).join('; ') : error.message;
  const hints: readonly (readonly [RegExp, string])[] = [
    [/client password must be a string/, 'it asks for a password: put it into PGPASSWORD or ~/.pgpass'],
    [/does not support SSL/, `${reason}; without encryption: sslmode=disable`],
    [/altnames/, `${reason}; connect by a name that stands in it`],
    [/certificate/i, `${reason}; ${ca === undefined ? 'name its authority with sslrootcert or --ca' : 'its authority is not the one that was named'}`],
    [/^timeout expired/, 'no answer within 10 s: a wrong address, or a security group or a route that lets nobody in'],
  ];
  const text = hints.find(([pattern]) => pattern.test(reason))?.[1] ?? reason;
  const named = text.includes(address) ? text : `${address}: ${text}`;
  return Object.assign(new Error(named, { cause: error }), { code: (error as { code?: string }).code });
}
