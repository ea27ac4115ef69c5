import type { IndexDefinition, RetiredIndex } from '../../config/tier-config';

/** An index of the catalogue with its defaults applied. */
export type CataloguedIndex = Required<IndexDefinition>;

/** What should be: the indexes to have, and those to drop. */
export interface IndexCatalogue {
  readonly indexes: readonly CataloguedIndex[];
  readonly retired: readonly Required<RetiredIndex>[];
}

/** https://www.postgresql.org/docs/17/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS */
export const longestIdentifierBytes = 63;

const defaultSchema = 'public';

/** The catalogue with its defaults applied. */
export function indexCatalogue(indexes: readonly IndexDefinition[], retired: readonly RetiredIndex[] = []): IndexCatalogue {
  return {
    indexes: indexes.map((index) => ({ schema: defaultSchema, unique: false, ...index })),
    retired: retired.map((index) => ({ schema: defaultSchema, ...index })),
  };
}

/** `schema.name`, by which no two indexes of a database are the same. */
export function qualifiedName({ schema, name }: { readonly schema: string; readonly name: string }): string {
  return `${schema}.${name}`;
}

export function qualifiedTable({ schema, table }: Pick<CataloguedIndex, 'schema' | 'table'>): string {
  return `${schema}.${table}`;
}

/** As short as summaries and logs want it: the schema stands there only where it is not the default one. */
export function shownName({ schema, name }: { readonly schema: string; readonly name: string }): string {
  return schema === defaultSchema ? name : `${schema}.${name}`;
}

/** A table in the way of {@link shownName}. */
export function shownTable({ schema, table }: Pick<CataloguedIndex, 'schema' | 'table'>): string {
  return shownName({ schema, name: table });
}

/** What is wrong with the lists of indexes, as far as it shows without a database; one message each. */
export function indexProblems(indexes: readonly IndexDefinition[], retired: readonly RetiredIndex[] = []): readonly string[] {
  const catalogue = indexCatalogue(indexes, retired);
  const seen = new Set<string>();
  return [
    ...catalogue.indexes.flatMap((index) => {
      const { name, schema, table, definition } = index;
      const problems = [...identifierProblems(name, { name, schema, table })];
      if (definition.trim() === '') problems.push(`index "${name}": its definition is empty; write the columns, for example "(email)"`);
      if (seen.has(qualifiedName(index))) problems.push(`index "${shownName(index)}" stands in the list twice; a name is unique in its schema: rename or remove one`);
      seen.add(qualifiedName(index));
      return problems;
    }),
    ...catalogue.retired.flatMap((index) => [
      ...identifierProblems(index.name, index),
      ...(seen.has(qualifiedName(index)) ? [`index "${shownName(index)}" is wanted and retired at once; remove it from one of the lists`] : []),
    ]),
  ];
}

function identifierProblems(index: string, identifiers: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(identifiers).flatMap(([what, identifier]) => {
    const bytes = utf8Length(identifier);
    if (identifier === '' || identifier.includes('\0')) return [`index "${index}": its ${what} is empty or holds a NUL`];
    if (bytes <= longestIdentifierBytes) return [];
    return [`index "${index}": its ${what} is ${bytes} bytes long; PostgreSQL would cut it at ${longestIdentifierBytes}: shorten it`];
  });
}

export function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}
