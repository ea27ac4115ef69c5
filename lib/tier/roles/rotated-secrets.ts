import type { RoleCatalogue, SecretName } from './role-catalogue';
import type { RotatedSecret } from './rotation-turn';

/** Roles that take turns with a secret, the one that begins first. */
export function turnsOf({ logins }: RoleCatalogue, secret: SecretName): readonly string[] {
  return logins.filter((login) => login.secret === secret).map(({ name }) => name);
}

/** Who may come to the admin console of the pooler, as PgBouncer takes lists. */
export function consoleUsers(catalogue: RoleCatalogue): { readonly admin: string; readonly stats: string } {
  return { admin: turnsOf(catalogue, 'poolerAdmin').join(','), stats: turnsOf(catalogue, 'collector').join(',') };
}

/**
 * What the rotation must know of a secret.
 *
 * @param aliases of the pooler that lead to a database
 */
export function rotatedSecret(catalogue: RoleCatalogue, secret: SecretName, aliases: readonly string[]): RotatedSecret {
  const { logsInTo, scramIterations } = catalogue.logins.find((login) => login.secret === secret)!;
  const comesToConsole = secret === 'poolerAdmin' || secret === 'collector';
  const poolerDatabases = comesToConsole ? ['pgbouncer'] : aliases;
  return { turns: turnsOf(catalogue, secret), logsInTo, scramIterations, poolerDatabases: logsInTo.includes('pooler') ? poolerDatabases : [] };
}
