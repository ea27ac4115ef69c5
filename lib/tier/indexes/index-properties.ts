import type { IndexDefinition, RetiredIndex } from '../../config/tier-config';
import { type CataloguedIndex, indexCatalogue, type IndexCatalogue } from './index-catalogue';
import { indexesProperties } from './indexes.contract';

/**
 * The catalogue as properties of the custom resource: a key of letters, digits and underscores, and the SQL, so that
 * `cdk diff` shows what is added, changed, retired and removed.
 */
export function indexProperties(indexes: readonly IndexDefinition[], retired: readonly RetiredIndex[] = []): Readonly<Record<string, string>> {
  const catalogue = indexCatalogue(indexes, retired);
  const properties: Record<string, string> = {};
  const add = (name: string, sql: string): void => {
    const base = name.replace(/[^A-Za-z0-9_]/g, '_');
    let key = base;
    for (let attempt = 2; key in properties || reserved.has(key); attempt++) key = `${base}_${attempt}`;
    properties[key] = sql;
  };
  for (const index of catalogue.indexes) add(index.name, renderIndex(index));
  for (const { schema, name } of catalogue.retired) add(`Retired_${name}`, `DROP INDEX ${readable(schema)}.${readable(name)}`);
  return properties;
}

/**
 * Reads the catalogue back from the properties of the custom resource.
 *
 * @throws Error that names every property that is no index
 */
export function catalogueFromProperties(properties: Readonly<Record<string, unknown>>): IndexCatalogue {
  const unreadable: string[] = [];
  const indexes: CataloguedIndex[] = [];
  const retired: Required<RetiredIndex>[] = [];
  for (const [key, sql] of Object.entries(properties)) {
    if (reserved.has(key)) continue;
    const text = typeof sql === 'string' ? sql : '';
    const index = parseIndex(text);
    const drop = parseRetired(text);
    if (index) indexes.push(index);
    else if (drop) retired.push(drop);
    else unreadable.push(key);
  }
  if (unreadable.length > 0) {
    throw new Error(`properties ${unreadable.join(', ')} read neither "CREATE [UNIQUE] INDEX name ON schema.table definition" nor "DROP INDEX schema.name"`);
  }
  return { indexes, retired };
}

const reserved: ReadonlySet<string> = new Set(['ServiceToken', 'ServiceTimeout', ...Object.values(indexesProperties)]);

function renderIndex({ name, schema, table, unique, definition }: CataloguedIndex): string {
  return `CREATE ${unique ? 'UNIQUE ' : ''}INDEX ${readable(name)} ON ${readable(schema)}.${readable(table)} ${definition}`;
}

/** Quoted only where it must be: this text is read by people, and by {@link catalogueFromProperties}. */
function readable(identifier: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(identifier) ? identifier : `"${identifier.replace(/"/g, '""')}"`;
}

const identifierPattern = '("(?:[^"]|"")+"|[a-z_][a-z0-9_]*)';
const indexPattern = new RegExp(`^CREATE (UNIQUE )?INDEX ${identifierPattern} ON ${identifierPattern}\\.${identifierPattern} (.+)$`, 's');
const retiredPattern = new RegExp(`^DROP INDEX ${identifierPattern}\\.${identifierPattern}$`, 's');

function parseIndex(sql: string): CataloguedIndex | undefined {
  const match = indexPattern.exec(sql);
  if (!match) return undefined;
  const [name, schema, table] = match.slice(2, 5).map(unquoted) as [string, string, string];
  return { name, schema, table, unique: match[1] !== undefined, definition: match[5]! };
}

function parseRetired(sql: string): Required<RetiredIndex> | undefined {
  const [schema, name] = (retiredPattern.exec(sql) ?? []).slice(1, 3).map(unquoted);
  return schema === undefined || name === undefined ? undefined : { schema, name };
}

function unquoted(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replace(/""/g, '"') : text;
}
