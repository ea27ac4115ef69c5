import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';

/** What a server and PgBouncer keep instead of a password. */
export interface ScramVerifier {
  readonly iterations: number;
  readonly salt: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/**
 * Computes what `ALTER ROLE … PASSWORD` and PgBouncer's userlist take in place of the password. Both must hold the
 * same text, byte for byte: PgBouncer then logs in to the server with the keys that the client's own login revealed.
 *
 * @param salt fixed by tests only. @default 16 random bytes, as many as PostgreSQL itself takes
 * @throws RangeError for a password or a number of iterations that cannot be used
 * @see https://www.postgresql.org/docs/17/catalog-pg-authid.html
 * @see https://www.rfc-editor.org/rfc/rfc5802#section-3
 */
export function scramVerifier(options: { password: string; iterations: number; salt?: Buffer }): string {
  const { password, iterations, salt = randomBytes(16) } = options;
  if (!isUsablePassword(password)) {
    throw new RangeError(
      'the password is empty or holds characters outside ASCII, on which drivers disagree; use letters, digits and ASCII punctuation',
    );
  }
  if (!Number.isInteger(iterations) || iterations < 1 || iterations > maxIterations) {
    throw new RangeError(
      `${iterations} SCRAM iterations are not a whole number from 1 to ${maxIterations}; PostgreSQL's default is 4096`,
    );
  }
  const { storedKey, serverKey } = deriveKeys(password, salt, iterations);
  const [saltText, storedKeyText, serverKeyText] = [salt, storedKey, serverKey].map((bytes) =>
    bytes.toString('base64'),
  );
  return `SCRAM-SHA-256$${iterations}:${saltText}$${storedKeyText}:${serverKeyText}`;
}

/** Whether the verifier was made from the password, in constant time. False for a text that is no verifier. */
export function verifierMatches(verifier: string, password: string): boolean {
  const expected = parseScramVerifier(verifier);
  if (!expected || !isUsablePassword(password)) return false;
  const { storedKey, serverKey } = deriveKeys(password, expected.salt, expected.iterations);
  return timingSafeEqual(
    Buffer.concat([storedKey, serverKey]),
    Buffer.concat([expected.storedKey, expected.serverKey]),
  );
}

/** Takes a verifier apart; undefined for a plain password, an md5 hash or any other text. */
export function parseScramVerifier(text: string): ScramVerifier | undefined {
  const match =
    /^SCRAM-SHA-256\$([1-9]\d{0,9}):([A-Za-z0-9+/]+={0,2})\$([A-Za-z0-9+/]{43}=):([A-Za-z0-9+/]{43}=)$/.exec(text);
  if (!match) return undefined;
  const iterations = Number(match[1]);
  if (iterations > maxIterations) return undefined;
  const [salt, storedKey, serverKey] = match.slice(2).map((part) => Buffer.from(part, 'base64')) as [
    Buffer,
    Buffer,
    Buffer,
  ];
  return { iterations, salt, storedKey, serverKey };
}

/** https://www.postgresql.org/docs/17/runtime-config-connection.html#GUC-SCRAM-ITERATIONS */
const maxIterations = 2_147_483_647;

/**
 * PostgreSQL takes ASCII as it is and normalises the rest by SASLprep; some drivers do not, others by newer tables, and
 * then only some of them get in. What the tier generates is ASCII, so the rest is refused. A NUL ends libpq's password.
 */
export function isUsablePassword(password: string): boolean {
  return /^[\x01-\x7f]+$/.test(password);
}

function deriveKeys(
  password: string,
  salt: Buffer,
  iterations: number,
): Pick<ScramVerifier, 'storedKey' | 'serverKey'> {
  const saltedPassword = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const clientKey = createHmac('sha256', saltedPassword).update('Client Key').digest();
  return {
    storedKey: createHash('sha256').update(clientKey).digest(),
    serverKey: createHmac('sha256', saltedPassword).update('Server Key').digest(),
  };
}
