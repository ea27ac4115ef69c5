import { parseScramVerifier } from './scram-verifier';

/** Who may log in to PgBouncer: SCRAM verifiers by user name. */
export type Userlist = ReadonlyMap<string, string>;

/**
 * The text of PgBouncer's `auth_file`, one user a line, sorted by name.
 *
 * @throws Error for a name that cannot stand on a line, or anything that is not a verifier; never quotes the latter
 * @see https://www.pgbouncer.org/config.html#authentication-file-format
 */
export function renderUserlist(userlist: Userlist): string {
  const users = [...userlist].sort(([a], [b]) => (a < b ? -1 : 1));
  return users
    .map(([user, verifier]) => `${quote(checkUser(user))} ${quote(checkVerifier(user, verifier))}\n`)
    .join('');
}

/**
 * Reads what `renderUserlist` wrote. The empty text is a userlist of nobody.
 *
 * @throws Error with the number of the line; never quotes it, since it may hold a password
 */
export function parseUserlist(text: string): Userlist {
  const userlist = new Map<string, string>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '') continue;
    const match = /^"((?:[^"]|"")+)" "((?:[^"]|"")+)"$/.exec(line);
    if (!match)
      throw new Error(
        `line ${index + 1} of the userlist does not read "user" "SCRAM-SHA-256$…"; correct the secret, or empty it and deploy again`,
      );
    const [user, verifier] = match.slice(1).map((quoted) => quoted.replaceAll('""', '"')) as [string, string];
    if (userlist.has(user))
      throw new Error(`line ${index + 1} of the userlist names "${user}" a second time; remove one of the two`);
    userlist.set(user, checkVerifier(user, verifier));
  }
  return userlist;
}

/** In PgBouncer's file `"` is doubled, and nothing else is special: a backslash stands for itself. */
function quote(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

function checkUser(user: string): string {
  if (user === '' || /[\0\r\n]/.test(user)) {
    throw new Error(
      `user name ${JSON.stringify(user)} cannot stand in the userlist: it is empty or holds a line break; rename the role`,
    );
  }
  return user;
}

function checkVerifier(user: string, verifier: string): string {
  if (!parseScramVerifier(verifier)) {
    throw new Error(
      `the userlist may hold SCRAM verifiers only, and that of "${user}" is none: PgBouncer would hash a plain password at every login`,
    );
  }
  return verifier;
}
