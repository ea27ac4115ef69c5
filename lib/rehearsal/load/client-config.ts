import { readFileSync } from 'node:fs';
import { checkServerIdentity } from 'node:tls';

import type { ClientConfig } from 'pg';

import type { LoadTarget } from './pgbench';

/** TLS of a session with the target. What nobody can verify is taken as it is, as `sslmode=require` does. */
export function clientTls({ verification }: Pick<LoadTarget, 'verification'>): ClientConfig['ssl'] {
  if (!verification) return { rejectUnauthorized: false };
  const { hostName, authorityFile } = verification;
  return { ca: readFileSync(authorityFile, 'utf8'), checkServerIdentity: (_host, certificate) => checkServerIdentity(hostName, certificate) };
}

/** The same for libpq, which takes the name from PGHOST and the address from PGHOSTADDR. */
export function libpqTls({ addresses, tls = true, verification }: LoadTarget): NodeJS.ProcessEnv {
  if (!tls) return { PGSSLMODE: 'disable' };
  if (!verification) return { PGSSLMODE: 'require' };
  return { PGSSLMODE: 'verify-full', PGSSLROOTCERT: verification.authorityFile, PGHOST: addresses.map(() => verification.hostName).join(',') };
}
