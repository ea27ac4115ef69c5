import { createHash } from 'node:crypto';

import { longestIdentifierBytes, utf8Length } from './index-catalogue';

/**
 * Name of an index that stands beside another one of the same purpose while a changed definition takes its place: the
 * `new` one is built under it, the `old` one waits under it until the next success.
 */
export function nameBeside(name: string, which: 'new' | 'old'): string {
  return withSuffix(name, `_${which}`);
}

/** A name and what it ends in, within PostgreSQL's limit. */
export function withSuffix(name: string, suffix: string): string {
  if (utf8Length(name + suffix) <= longestIdentifierBytes) return name + suffix;
  // Two long names that begin alike must not meet.
  const tail = `_${createHash('sha256').update(name).digest('hex').slice(0, 8)}${suffix}`;
  let head = name;
  while (utf8Length(head + tail) > longestIdentifierBytes) head = [...head].slice(0, -1).join('');
  return head + tail;
}

/** What a REINDEX CONCURRENTLY that failed leaves beside an index: `_ccnew`, or `_ccold` of its last step. */
export function isReindexLeftoverOf(name: string, candidate: string): boolean {
  return candidate.startsWith(name) && /^_cc(new|old)\d*$/.test(candidate.slice(name.length));
}
