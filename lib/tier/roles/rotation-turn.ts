import { randomInt } from 'node:crypto';

import type { LoginTarget } from './role-catalogue';
import { isUsablePassword } from './scram-verifier';

/** What the rotation must know of a secret whose password it changes. */
export interface RotatedSecret {
  /** Roles that take turns. One alone changes its own password, and is the rotation itself. */
  readonly turns: readonly string[];
  readonly logsInTo: readonly LoginTarget[];
  readonly scramIterations: number;
  /** Names that its clients ask the pooler for. */
  readonly poolerDatabases: readonly string[];
}

/** The value of a secret: who logs in, the password, and whatever else somebody has put beside them. */
export interface SecretValue {
  readonly username: string;
  readonly password: string;
}

/** The staging labels of a version, as Secrets Manager attaches them. */
export type RotationStage = 'pending' | 'finished';

/**
 * Where a version stands.
 *
 * @param stages labels by version
 * @throws Error if it is not the one that is being made
 */
export function rotationStage(stages: Readonly<Record<string, readonly string[]>>, version: string): RotationStage {
  const labels = stages[version];
  if (labels === undefined) throw new Error(`there is no version ${version}; start a rotation with: aws secretsmanager rotate-secret`);
  if (labels.includes('AWSCURRENT')) return 'finished';
  if (labels.includes('AWSPENDING')) return 'pending';
  throw new Error(`version ${version} is AWSPENDING no more: a later rotation has taken its place, which this one must not disturb`);
}

/**
 * The value that follows: the other role's turn, with a password of over 256 random bits that needs no escaping anywhere.
 *
 * @throws Error if the secret names a role that takes no turns
 */
export function nextValue(current: SecretValue, turns: readonly string[]): SecretValue {
  const password = Array.from({ length: passwordLength }, () => alphabet[randomInt(alphabet.length)]).join('');
  return { ...current, username: nextTurn(current.username, turns), password };
}

/**
 * Judges a value that is to become current, which somebody may have put there by hand.
 *
 * @throws Error that says what is wrong, and never the password: clients of the current role must not be locked out
 */
export function checkNextValue(next: SecretValue, current: SecretValue, turns: readonly string[]): void {
  const expected = nextTurn(current.username, turns);
  if (next.username !== expected) {
    throw new Error(`the pending version is for "${next.username}", but it is the turn of "${expected}": clients that have read "${current.username}" must go on; correct "username" in it`);
  }
  if (!isUsablePassword(next.password)) {
    throw new Error('the password of the pending version is empty or holds characters outside ASCII, on which drivers disagree; use letters, digits and ASCII punctuation');
  }
}

function nextTurn(current: string, turns: readonly string[]): string {
  const turn = turns.indexOf(current);
  if (turn < 0) throw new Error(`the current version is for "${current}", which takes no turns; it should be ${turns.map((name) => `"${name}"`).join(' or ')}: correct "username" in it`);
  return turns[(turn + 1) % turns.length]!;
}

/** As the template generates them. */
const passwordLength = 44;
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
