import type { ObservedIndex } from './index-observation';
import { dropConcurrentlySql } from './index-sql';

/** On an index that was built here: without a comment of these migrations, nothing VALID is ever dropped. A comment survives a REINDEX. */
export const builtHereComment = 'built by the index migrations';

/** On one that was built to take the place of another, until it does. Its name proves nothing: a list may hold the same. */
export const builtBesideComment = 'built by the index migrations to take the place of another';

const replacedPrefix = 'replaced by the index migrations in deploy ';

/** On an index that another one has taken the place of. */
export function replacedComment(generation: number): string {
  return `${replacedPrefix}${generation}; dropped after the next deploy that succeeds`;
}

export function isOurs({ comment }: ObservedIndex): boolean {
  return comment === builtHereComment || comment === builtBesideComment || replacedIn({ comment }) !== undefined;
}

/** What an index is marked with that is built for one of a list. */
export function commentFor(index: { readonly name: string }, builtAs: string): string {
  return builtAs === index.name ? builtHereComment : builtBesideComment;
}

/** The deploy in which another index took its place; undefined if none did. */
export function replacedIn({ comment }: Pick<ObservedIndex, 'comment'>): number | undefined {
  return comment?.startsWith(replacedPrefix) ? Number.parseInt(comment.slice(replacedPrefix.length), 10) : undefined;
}

/** Why an index cannot be dropped; undefined if it can. */
export function reasonToKeep(index: ObservedIndex): string | undefined {
  if (index.constraint !== null) return `constraint ${index.constraint} stands on it; drop the constraint instead`;
  if (index.replicaIdentity) return 'it is the replica identity of its table; choose another one first';
  if (index.attached) return 'it is part of an index of a partitioned table; drop that one instead';
  if (!isOurs(index)) return `it was not built here; if nobody needs it, run: ${dropConcurrentlySql(index)}`;
  return undefined;
}
