import { indexesProperties } from '../../tier/indexes/indexes.contract';
import { describeValue } from '../describe-value';
import type { Judgement } from '../impact';
import { describeProperty, type Judge } from './generic';

const settings: ReadonlySet<string> = new Set(['ServiceToken', 'ServiceTimeout', ...Object.values(indexesProperties)]);

/** Judges the index catalogue, a property for each index. */
export const judgeIndexes: Judge = ({ kind, before, after, properties }) => {
  const say = (what: string, atDeploy: string): Judgement => ({ section: 'indexes', impact: 'no interruption', what, atDeploy });
  if (kind === 'removed') return [say('the whole list is removed', 'every index stays, and nobody looks after it any more')];
  const changes = kind === 'added' ? Object.entries(after?.Properties ?? {}).map(([name, value]) => ({ name, before: undefined, after: value, replacement: 'never' as const })) : properties;
  const sqlOf = (side: Readonly<Record<string, unknown>> | undefined) => Object.entries(side ?? {}).filter(([name]) => !settings.has(name)).map(([, sql]) => String(sql));
  const earlier = new Set(sqlOf(before?.Properties).map(body));
  return changes.flatMap((change) => {
    if (settings.has(change.name)) return kind === 'added' ? [] : [say(describeProperty(change), 'the list is gone through once more')];
    const [old, sql] = [change.before, change.after].map((value) => (value === undefined ? undefined : describeValue(value)));
    if (sql === undefined) return [say(`− ${old!}`, isDrop(old!) ? 'no longer asked to be dropped; nothing happens' : 'keep: it stays in the database, and nobody looks after it; list it in retiredIndexes to drop it')];
    if (isDrop(sql)) return [say(sql, 'drop: concurrently, if it was built here and no constraint stands on it')];
    if (old !== undefined) return [say(`${old} → ${sql}`, 'swap: built beside without locking writers, then renamed; the old one is kept as …_old until the next deploy')];
    if (earlier.has(body(sql))) return [say(`+ ${sql}`, 'keep: the same index under another name is adopted, not built again')];
    return [say(`+ ${sql}`, 'build: concurrently, without locking writers; takes from seconds to hours with the table')];
  });
};

function isDrop(sql: string): boolean {
  return sql.startsWith('DROP ');
}

/** The statement without the index's name. */
function body(sql: string): string {
  return sql.replace(/INDEX .+? ON /, 'INDEX ON ');
}
