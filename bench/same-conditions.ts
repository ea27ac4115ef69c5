import type { TLSSocket } from 'node:tls';

import { Client } from 'pg';

import { clientTls } from '../lib/rehearsal/load/client-tls';
import type { LoadTarget } from '../lib/rehearsal/load/pgbench';
import { type PoolerBench, sidesOf } from './pooler-run';

/**
 * What both sides have in common, in one line.
 *
 * @throws Error if they differ in what a comparison must hold still
 */
export async function sameConditions(bench: Pick<PoolerBench, 'tier' | 'connections'>): Promise<string> {
  const { direct, pooled } = sidesOf(bench);
  const { user } = direct;
  const verifiers = await bench.tier.databases.primary.server.query<{ iterations: string }>("SELECT split_part(split_part(rolpassword, '$', 2), ':', 1) AS iterations FROM pg_authid WHERE rolname = $1", [user]);
  const [tlsDirect, tlsPooled] = await Promise.all([tlsOf(direct), tlsOf(pooled)]);
  if (user !== pooled.user || tlsDirect !== tlsPooled) throw new Error(`the two sides cannot be compared: ${user} by ${tlsDirect} directly, ${pooled.user} by ${tlsPooled} through the pooler`);
  // With verifiers in the userlist, the pooler tells its clients the same number as the database.
  return `both sides as ${user}, SCRAM with ${verifiers[0]?.iterations} iterations, ${tlsDirect}`;
}

async function tlsOf({ addresses, port, database, user, password, verification }: LoadTarget): Promise<string> {
  const client = new Client({ host: addresses[0], port, database, user, password, ssl: clientTls({ verification }) });
  await client.connect();
  try {
    const socket = (client as unknown as { readonly connection: { readonly stream: TLSSocket } }).connection.stream;
    const { bits, asn1Curve } = socket.getPeerCertificate() as { readonly bits?: number; readonly asn1Curve?: string };
    return `${socket.getProtocol()} ${socket.getCipher().name} with a key of ${asn1Curve ?? `${bits} bits`}`;
  } finally {
    await client.end();
  }
}
