import { readFileSync } from 'node:fs';
import { checkServerIdentity, type ConnectionOptions } from 'node:tls';

import type { ClientConfig } from 'pg';

import type { LoadTarget } from './pgbench';

/** How a session with the target is opened, at the first of its addresses and always over TLS. */
export function clientConfig({ addresses, port, database, user, password, verification }: LoadTarget) {
  return { host: addresses[0], port, database, user, password, ssl: clientTls(verification) } satisfies ClientConfig;
}

/** What nobody can verify is taken as it is, as `sslmode=require` does. */
function clientTls(verification: LoadTarget['verification']): ConnectionOptions {
  if (!verification) return { rejectUnauthorized: false };
  const { hostName, authorityFile } = verification;
  return { ca: readFileSync(authorityFile, 'utf8'), checkServerIdentity: (_host, certificate) => checkServerIdentity(hostName, certificate) };
}

/** TLS for libpq, which takes the name from PGHOST and the address from PGHOSTADDR. */
export function libpqTls({ addresses, tls = true, verification }: LoadTarget): NodeJS.ProcessEnv {
  if (!tls) return { PGSSLMODE: 'disable' };
  if (!verification) return { PGSSLMODE: 'require' };
  return { PGSSLMODE: 'verify-full', PGSSLROOTCERT: verification.authorityFile, PGHOST: addresses.map(() => verification.hostName).join(',') };
}
