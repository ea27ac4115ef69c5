import type { IndexDefinition } from '../../config/tier-config';
import { indexesProperties } from './indexes.contract';

/** An index of the catalogue with its defaults applied. */
export type CataloguedIndex = Required<IndexDefinition>;

/** https://www.postgresql.org/docs/17/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS */
const longestIdentifierBytes = 63;

/** What is wrong with the list of indexes, as far as it shows without a database; one message each. */
export function indexProblems(indexes: readonly IndexDefinition[]): readonly string[] {
  const seen = new Set<string>();
  return indexes.flatMap((index) => {
    const { name, schema, table, definition } = withDefaults(index);
    const problems = ([['name', name], ['schema', schema], ['table', table]] as const).flatMap(([what, identifier]) => {
      const bytes = utf8Length(identifier);
      if (identifier === '' || identifier.includes('\0')) return [`index "${name}": its ${what} is empty or holds a NUL`];
      if (bytes <= longestIdentifierBytes) return [];
      return [`index "${name}": its ${what} is ${bytes} bytes long; PostgreSQL would cut it at ${longestIdentifierBytes}: shorten it`];
    });
    if (definition.trim() === '') problems.push(`index "${name}": its definition is empty; write the columns, for example "(email)"`);
    const key = `${schema}.${name}`;
    if (seen.has(key)) problems.push(`index "${name}" stands in the list twice; a name is unique in its schema: rename or remove one`);
    seen.add(key);
    return problems;
  });
}

/**
 * The catalogue as properties of the custom resource: a key of letters, digits and underscores, and the SQL, so that
 * `cdk diff` shows what is added, changed and removed.
 */
export function indexProperties(indexes: readonly IndexDefinition[]): Readonly<Record<string, string>> {
  const properties: Record<string, string> = {};
  for (const index of indexes) {
    const base = index.name.replace(/[^A-Za-z0-9_]/g, '_');
    let key = base;
    for (let attempt = 2; key in properties || reserved.has(key); attempt++) key = `${base}_${attempt}`;
    properties[key] = renderIndex(withDefaults(index));
  }
  return properties;
}

/**
 * Reads the catalogue back from the properties of the custom resource.
 *
 * @throws Error that names every property that is no index
 */
export function indexesFromProperties(properties: Readonly<Record<string, unknown>>): readonly CataloguedIndex[] {
  const unreadable: string[] = [];
  const indexes = Object.entries(properties).flatMap(([key, sql]) => {
    if (reserved.has(key)) return [];
    const index = typeof sql === 'string' ? parseIndex(sql) : undefined;
    if (!index) unreadable.push(key);
    return index ? [index] : [];
  });
  if (unreadable.length > 0) {
    throw new Error(`properties ${unreadable.join(', ')} do not read "CREATE [UNIQUE] INDEX name ON schema.table definition"`);
  }
  return indexes;
}

const reserved: ReadonlySet<string> = new Set(['ServiceToken', 'ServiceTimeout', ...Object.values(indexesProperties)]);

function withDefaults(index: IndexDefinition): CataloguedIndex {
  return { schema: 'public', unique: false, ...index };
}

function renderIndex({ name, schema, table, unique, definition }: CataloguedIndex): string {
  return `CREATE ${unique ? 'UNIQUE ' : ''}INDEX ${readable(name)} ON ${readable(schema)}.${readable(table)} ${definition}`;
}

/** Quoted only where it must be: this text is read by people, and by {@link parseIndex}. */
function readable(identifier: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(identifier) ? identifier : `"${identifier.replace(/"/g, '""')}"`;
}

const identifierPattern = '("(?:[^"]|"")+"|[a-z_][a-z0-9_]*)';
const indexPattern = new RegExp(`^CREATE (UNIQUE )?INDEX ${identifierPattern} ON ${identifierPattern}\\.${identifierPattern} (.+)$`, 's');

function parseIndex(sql: string): CataloguedIndex | undefined {
  const match = indexPattern.exec(sql);
  if (!match) return undefined;
  const [name, schema, table] = match.slice(2, 5).map((text) => (text.startsWith('"') ? text.slice(1, -1).replace(/""/g, '"') : text)) as [string, string, string];
  return { name, schema, table, unique: match[1] !== undefined, definition: match[5]! };
}

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}
