import type { LoginRole } from './role-catalogue';
import { parseScramVerifier, scramVerifier, verifierMatches } from './scram-verifier';
import type { Userlist } from './userlist';

/** What a secret says about the role whose turn it is. */
export interface SecretCredentials {
  readonly username: string;
  readonly password: string;
}

export interface LoginVerifiers {
  /** Verifiers to set in the database, by role. */
  readonly database: ReadonlyMap<string, string>;
  /** The userlist as it should be. */
  readonly userlist: Userlist;
  readonly warnings: readonly string[];
}

/**
 * Decides which verifier each role gets. One that stands in the userlist is kept as long as it is that of the password,
 * even if it was made with other iterations: running tasks hold it, and could log in to the database no more if it
 * changed under them. So is one whose password is not known here: that of a role which waits for its turn.
 *
 * @param credentials by the secret of each role
 * @throws Error if a secret names a role that is not one of its own
 */
export function loginVerifiers<Secret>(
  logins: readonly LoginRole<Secret>[],
  credentials: ReadonlyMap<Secret, SecretCredentials>,
  userlist: Userlist,
): LoginVerifiers {
  checkTurns(logins, credentials);
  const database = new Map<string, string>();
  const next = new Map(userlist);
  const warnings: string[] = [];

  for (const { name, secret, logsInTo, scramIterations } of logins) {
    const { username, password } = credentials.get(secret)!;
    const known = userlist.get(name);
    const keep = known !== undefined && (username !== name || verifierMatches(known, password));
    const verifier = keep
      ? known
      : username === name
        ? scramVerifier({ password, iterations: scramIterations })
        : undefined;
    if (verifier === undefined) continue;

    if (logsInTo.includes('database')) database.set(name, verifier);
    if (logsInTo.includes('pooler')) next.set(name, verifier);
    const { iterations } = parseScramVerifier(verifier)!;
    if (iterations !== scramIterations) {
      warnings.push(
        `"${name}" keeps its verifier of ${iterations} SCRAM iterations, not ${scramIterations}, until its password changes: running pooler tasks hold it`,
      );
    }
  }
  for (const user of userlist.keys()) {
    if (!logins.some(({ name }) => name === user)) {
      warnings.push(
        `the userlist also lets in "${user}", which is no role of the tier; if nobody needs it, remove its line from the userlist secret and deploy again`,
      );
    }
  }
  return { database, userlist: next, warnings };
}

function checkTurns<Secret>(
  logins: readonly LoginRole<Secret>[],
  credentials: ReadonlyMap<Secret, SecretCredentials>,
): void {
  for (const [secret, { username }] of credentials) {
    const names = logins.filter((login) => login.secret === secret).map(({ name }) => name);
    if (!names.includes(username)) {
      throw new Error(
        `secret ${String(secret)} says "username": "${username}"; it should be ${names.map((name) => `"${name}"`).join(' or ')}: correct it`,
      );
    }
  }
}
