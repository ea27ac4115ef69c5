/** A setting as a running server tells it. */
export interface RunningSetting {
  readonly name: string;
  readonly value: string;
}

/**
 * What a server calls `on` of a setting that has more to choose from.
 *
 * @see https://www.postgresql.org/docs/17/runtime-config-wal.html#GUC-WAL-COMPRESSION
 */
const wordsForOn: Readonly<Record<string, string>> = { wal_compression: 'pglz' };

/** What runs otherwise than it was written, one sentence each. */
export function settingDifferences(who: string, wanted: Readonly<Record<string, string>>, running: readonly RunningSetting[]): readonly string[] {
  const values = new Map(running.map(({ name, value }) => [name, value]));
  return Object.entries(wanted).flatMap(([name, value]) => {
    const runs = values.get(name);
    if (runs === undefined) return [`${who} does not know ${name}`];
    const same = normalize(runs) === normalize(value) || (normalize(value) === '1' && runs === wordsForOn[name]);
    return same ? [] : [`${name} of ${who} is ${runs || 'empty'}, not ${value}`];
  });
}

/** Servers write booleans, numbers and lists in ways of their own. */
function normalize(value: string): string {
  const text = value.trim().toLowerCase().replace(/\s*,\s*/g, ',');
  if (['on', 'yes', 'true'].includes(text)) return '1';
  if (['off', 'no', 'false'].includes(text)) return '0';
  return text !== '' && Number.isFinite(Number(text)) ? String(Number(text)) : text;
}
