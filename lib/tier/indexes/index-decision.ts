import type { CataloguedIndex } from './index-catalogue';
import { canonicalPart } from './index-sql';

/** What the catalog says of a wanted index and its table. */
export interface ObservedIndex {
  /** Null: the table does not exist. */
  readonly tableOid: string | null;
  /** `relkind`: `r` is an ordinary table, `p` a partitioned one, `v` a view. */
  readonly tableKind: string | null;
  readonly tableOwner: string | null;
  readonly mayBuild: boolean;
  /** Null: there is no index of that name in the schema. */
  readonly indexOid: string | null;
  readonly valid: boolean | null;
  readonly existingDefinition: string | null;
  /** False: the name belongs to an index of another table. */
  readonly onTable: boolean | null;
}

/** What is to be done about one index. */
export type Decision =
  | { readonly kind: 'valid' }
  | { readonly kind: 'deferred' }
  | { readonly kind: 'building' }
  /** Another index of the table is being built, or this one is about to be. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'start' }
  /** A dead build left it behind: drop it, then start. */
  | { readonly kind: 'repair' }
  | { readonly kind: 'failed'; readonly problem: string };

/**
 * @param canonical what the wanted definition looks like in PostgreSQL's own words; undefined if the table is missing
 * @param builderLives whether somebody holds the builder's lock of the table
 */
export function decide(index: CataloguedIndex, observed: ObservedIndex, canonical: string | undefined, builderLives: boolean): Decision {
  const table = `${index.schema}.${index.table}`;
  if (observed.tableOid === null || canonical === undefined) return { kind: 'deferred' };
  if (observed.tableKind === 'p') return failed(`${table} is partitioned, and PostgreSQL cannot build an index on it concurrently; ${partitionAdvice(index, canonical)}`);
  if (observed.tableKind !== 'r' && observed.tableKind !== 'm') return failed(`${table} is not a table; index the table that it is made from`);
  if (observed.indexOid === null) {
    if (!observed.mayBuild) return failed(`${table} belongs to ${observed.tableOwner}, whose rights the index builder does not have; run: ALTER TABLE ${table} OWNER TO the tier's owner role`);
    return builderLives ? { kind: 'waiting' } : { kind: 'start' };
  }
  if (!observed.onTable) return failed(`the name is taken by an index of another table; rename one of them`);
  if (!isSame(index, canonical, observed.existingDefinition!)) {
    return failed(`has the definition "${observed.existingDefinition}", wanted is "${canonical}"${index.unique ? ' (unique)' : ''}; give the new definition a new name, or drop the old index`);
  }
  if (observed.valid) return { kind: 'valid' };
  return builderLives ? { kind: 'building' } : { kind: 'repair' };
}

function isSame(index: CataloguedIndex, canonical: string, existing: string): boolean {
  return canonicalPart(existing) === canonical && existing.startsWith('CREATE UNIQUE ') === index.unique;
}

function partitionAdvice({ name, schema, table, unique }: CataloguedIndex, canonical: string): string {
  const create = `CREATE ${unique ? 'UNIQUE ' : ''}INDEX`;
  return `run by hand: ${create} ${name} ON ONLY ${schema}.${table} ${canonical}; then, for each partition, ${create} CONCURRENTLY name_of_partition ON partition ${canonical} and ALTER INDEX ${schema}.${name} ATTACH PARTITION name_of_partition`;
}

function failed(problem: string): Decision {
  return { kind: 'failed', problem };
}
