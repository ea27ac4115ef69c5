import type { Client } from 'pg';

import type { DatabaseCredentials } from '../database/connect';
import { lockRoles, runStatement } from './bootstrap';
import { createSetVerifier, setVerifier } from './bootstrap-sql';
import type { RotationPooler } from './rotation-pooler';
import type { RotationSecret } from './rotation-secret';
import { checkNextValue, nextValue, type RotatedSecret, type SecretValue } from './rotation-turn';
import { scramVerifier, verifierMatches } from './scram-verifier';
import { parseUserlist, renderUserlist } from './userlist';
import type { StoredUserlist } from './userlist-secret';

/** What a rotation works with. */
export interface Rotation {
  readonly rotated: RotatedSecret;
  readonly secret: RotationSecret;
  /** A session on the primary of the role that may set passwords. */
  readonly logIn: () => Promise<Client>;
  /** A session on the primary of the role whose turn comes, over nothing but the network. */
  readonly logInAs: (credentials: DatabaseCredentials) => Promise<Client>;
  readonly readUserlist: () => Promise<StoredUserlist>;
  readonly storeUserlist: (stored: StoredUserlist, text: string) => Promise<unknown>;
  readonly pooler: RotationPooler;
  readonly log: (event: Readonly<Record<string, unknown>>) => void;
}

/** In messages. */
const who = 'the rotation of a password';

/**
 * Secrets Manager's four steps. Each may be run again after it has died half-way, and does what is left; two of the
 * same at once come to the same end.
 *
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-lambda-function-overview.html
 */
export const rotationSteps = { createSecret, setSecret, testSecret, finishSecret } as const;

/** Puts the other role's new password beside the current one, where no client looks. */
async function createSecret({ secret, rotated }: Rotation): Promise<void> {
  if ((await secret.stage()) === 'finished') return;
  const current = await secret.current();
  if (!(await secret.next())) await secret.announce(nextValue(current, rotated.turns));
  await judgedNext(secret, rotated);
}

/**
 * Gives the database and the userlist the new password's verifier, the same to both, and starts to replace the tasks,
 * which have read an older userlist. Clients of the current role notice nothing but the replacement.
 */
async function setSecret(rotation: Rotation, deadline: Date, pauseMs = 2000): Promise<void> {
  const { secret, rotated, pooler, log } = rotation;
  if ((await secret.stage()) === 'finished') return;
  const next = await judgedNext(secret, rotated);
  const session = await rotation.logIn();
  try {
    await lockRoles(session, who); // before anything is read that is written back
    const stored = await rotation.readUserlist();
    const userlist = parseUserlist(stored.text);
    const verifier = verifierOf(next, rotated, userlist.get(next.username));
    if (rotated.logsInTo.includes('database')) {
      await runStatement(session, createSetVerifier, who);
      await runStatement(session, setVerifier(next.username, verifier), who);
    }
    if (rotated.logsInTo.includes('pooler')) {
      await rotation.storeUserlist(stored, renderUserlist(new Map([...userlist, [next.username, verifier]])));
    }
  } finally {
    await session.end();
  }
  if (!rotated.logsInTo.includes('pooler')) return;
  const { createdAt } = await rotation.readUserlist();
  // A replacement on top of another adds as many tasks, with server connections of their own, and passwords that are
  // changed in the same night would pile them up. Nobody is asked meanwhile: see `refusals`.
  for (let replacement = await pooler.replacement(createdAt); replacement !== 'none'; replacement = await pooler.replacement(createdAt)) {
    log({ event: 'tasks of the pooler are being replaced', username: next.username, replacement });
    if (replacement === 'by those that know it') return;
    await pauseUntil(deadline, pauseMs, () => 'the tasks of the pooler are still being replaced by such as do not know the new password, so the current one stays; look at the deployment of its service if the next attempt says the same');
  }
  if ((await pooler.refusals(next, rotated.poolerDatabases)).length === 0) return;
  log({ event: 'tasks of the pooler are replaced', username: next.username });
  await pooler.replaceTasks();
}

/**
 * Returns once the new password lets its role in wherever a client may come.
 *
 * @throws Error that says where it does not, if that is still so at the deadline: Secrets Manager tries again later
 */
async function testSecret({ secret, rotated, pooler, logInAs, log }: Rotation, deadline: Date, pauseMs = 2000): Promise<void> {
  const next = await secret.next();
  // When a schedule is made, Secrets Manager tries the function on a version that no step has prepared.
  const credentials = next ?? (await secret.current());
  for (;;) {
    const refusals = [
      ...(rotated.logsInTo.includes('database') ? await databaseRefusals(credentials, logInAs) : []),
      ...(rotated.logsInTo.includes('pooler') ? await pooler.refusals(credentials, rotated.poolerDatabases) : []),
    ];
    if (refusals.length === 0) return;
    log({ event: 'not let in everywhere yet', username: credentials.username, refusals });
    await pauseUntil(deadline, pauseMs, () => `"${credentials.username}" is not let in everywhere yet, so the current password stays: ${refusals.join('; ')}; look at the deployment of the pooler's service if the next attempt says the same`);
  }
}

/** @throws Error if there is no time left for another attempt */
async function pauseUntil(deadline: Date, pauseMs: number, problem: () => string): Promise<void> {
  if (Date.now() + pauseMs > deadline.getTime()) throw new Error(problem());
  await new Promise((resolve) => setTimeout(resolve, pauseMs));
}

/** Makes the new password current: clients read it from now on, and the old one goes on working until the next rotation. */
async function finishSecret({ secret, rotated }: Rotation): Promise<void> {
  if ((await secret.stage()) === 'finished') return;
  await judgedNext(secret, rotated);
  await secret.makeCurrent();
}

/** @throws Error if there is none, or it must not become current */
async function judgedNext(secret: RotationSecret, { turns }: RotatedSecret): Promise<SecretValue> {
  const next = await secret.next();
  if (!next) throw new Error('the pending version has no value: the step createSecret has not been run for it');
  const current = await secret.current();
  // Unless the same step, running twice, has made it current meanwhile.
  if (next.username !== current.username || next.password !== current.password) checkNextValue(next, current, turns);
  return next;
}

/** The one that the userlist has for this password already: tasks may hold it. */
function verifierOf({ password }: SecretValue, { scramIterations }: RotatedSecret, known: string | undefined): string {
  if (known !== undefined && verifierMatches(known, password)) return known;
  return scramVerifier({ password, iterations: scramIterations });
}

async function databaseRefusals(credentials: DatabaseCredentials, logInAs: Rotation['logInAs']): Promise<readonly string[]> {
  try {
    await (await logInAs(credentials)).end();
    return [];
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    return [`the database: ${message || code}`];
  }
}
