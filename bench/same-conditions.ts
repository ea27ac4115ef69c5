import { writeFile } from 'node:fs/promises';
import type { EphemeralKeyInfo, TLSSocket } from 'node:tls';

import { Client } from 'pg';

import { clientConfig } from '../lib/rehearsal/load/client-config';
import type { LoadTarget } from '../lib/rehearsal/load/pgbench';
import { type PoolerBench, sidesOf } from './pooler-run';

/**
 * The one that PostgreSQL 17 has. Left to themselves, libpq and PgBouncer agree on one against quantum computers, which
 * costs both a tenth of a log-in more; with PostgreSQL, libpq first tries that one in vain.
 */
const keyExchange = 'prime256v1';

/** Writes by what every client of a comparison agrees on the same key exchange. https://docs.openssl.org/3.5/man5/config/ */
export async function writeOpensslSettings(file: string): Promise<void> {
  const lines = ['openssl_conf = settings', '[settings]', 'ssl_conf = of_programs', '[of_programs]', 'system_default = of_all', '[of_all]', `Groups = ${keyExchange}`];
  await writeFile(file, `${lines.join('\n')}\n`);
}

/**
 * What both sides have in common, in one line.
 *
 * @throws Error if they differ in what a comparison must hold still
 */
export async function sameConditions(bench: Pick<PoolerBench, 'tier' | 'connections' | 'opensslSettingsFile'>): Promise<string> {
  const { direct, pooled } = sidesOf(bench);
  const { user } = direct;
  const verifiers = await bench.tier.databases.primary.server.query<{ iterations: string }>("SELECT split_part(split_part(rolpassword, '$', 2), ':', 1) AS iterations FROM pg_authid WHERE rolname = $1", [user]);
  const [tlsDirect, tlsPooled] = await Promise.all([tlsOf(direct), tlsOf(pooled)]);
  if (user !== pooled.user || tlsDirect !== tlsPooled) throw new Error(`the two sides cannot be compared: ${user} by ${tlsDirect} directly, ${pooled.user} by ${tlsPooled} through the pooler`);
  // With verifiers in the userlist, the pooler tells its clients the same number as the database.
  return `both sides as ${user}, SCRAM with ${verifiers[0]?.iterations} iterations, ${tlsDirect}`;
}

async function tlsOf(target: LoadTarget): Promise<string> {
  const config = clientConfig(target);
  const client = new Client({ ...config, ssl: { ...config.ssl, ecdhCurve: keyExchange } });
  await client.connect();
  try {
    const socket = (client as unknown as { readonly connection: { readonly stream: TLSSocket } }).connection.stream;
    const { bits, asn1Curve } = socket.getPeerCertificate() as { readonly bits?: number; readonly asn1Curve?: string };
    const { name } = socket.getEphemeralKeyInfo() as EphemeralKeyInfo;
    return `${socket.getProtocol()} ${socket.getCipher().name} with a key of ${asn1Curve ?? `${bits} bits`} and key exchange by ${name}`;
  } finally {
    await client.end();
  }
}
