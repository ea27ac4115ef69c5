import type { Client } from 'pg';

import { quoteQualified } from '../database/sql-quoting';
import type { CataloguedIndex } from './index-catalogue';
import { runStatement } from './index-sql';
import type { AcceptedTrial } from './index-trial';

/** Of a page's tuple, without its key: item pointer, header, alignment. https://www.postgresql.org/docs/17/storage-page-layout.html */
const bytesOfTuple = 16;
const leafFill = 0.9;
/** Left to the rest of the database, so that a build never brings it to a halt. */
const reserveShare = 0.05;

const gib = 2 ** 30;

/** What an index will hold, as the planner expects. */
export interface IndexedRows {
  readonly rows: number;
  /** Of a row's columns and expressions. */
  readonly bytesPerRow: number;
}

/** Space of an instance as far as it can be told from its allocated storage. */
export interface InstanceSpace {
  readonly allocatedBytes: number;
  readonly usedBytes: number;
}

/** Bytes that a build may take at its height: the index, the runs of its sort, and the WAL of writing it. */
export function bytesForBuild({ rows, bytesPerRow }: IndexedRows): { readonly index: number; readonly atMost: number } {
  const index = Math.ceil((rows * (bytesPerRow + bytesOfTuple)) / leafFill);
  return { index, atMost: 3 * index };
}

/** Why a build is not started; undefined if it may be. */
export function spaceProblem(size: IndexedRows, { allocatedBytes, usedBytes }: InstanceSpace): string | undefined {
  const { index, atMost } = bytesForBuild(size);
  const free = allocatedBytes * (1 - reserveShare) - usedBytes;
  if (atMost <= free) return undefined;
  const text = (bytes: number): string => `${(Math.max(0, bytes) / gib).toFixed(1)} GiB`;
  return `its build may take ${text(atMost)} (the index ${text(index)}, its sort and its WAL as much each), and of the instance's ${text(allocatedBytes)} only ${text(free)} are free beyond a reserve of ${100 * reserveShare} %; raise storage.sizeGiB`;
}

/** Room of an instance while builds are started side by side: what each may take is taken from the next. */
export class BuildRoom {
  private takenBytes = 0;

  /** @param space undefined if it is not known: then there is always room */
  constructor(private readonly space: InstanceSpace | undefined) {}

  take(size: IndexedRows): void {
    this.takenBytes += bytesForBuild(size).atMost;
  }

  /** Why a build is not started even alone; undefined if it may be. */
  problemOf(size: IndexedRows): string | undefined {
    return this.space && spaceProblem(size, this.space);
  }

  /** There is room once those have ended that are under way. */
  mustWait(size: IndexedRows): boolean {
    return this.space !== undefined && spaceProblem(size, { ...this.space, usedBytes: this.space.usedBytes + this.takenBytes }) !== undefined;
  }
}

/** The planner knows predicates, expressions, and tables that were never analyzed. */
export async function readIndexedRows(session: Client, { schema, table }: CataloguedIndex, { canonical, columns, predicate }: AcceptedTrial): Promise<IndexedRows> {
  // A tuple for each range of pages: next to nothing.
  if (canonical.startsWith('USING brin ')) return { rows: 0, bytesPerRow: 0 };
  const condition = predicate === null ? '' : ` WHERE ${predicate}`;
  // To plan, PostgreSQL calls functions that are marked IMMUTABLE, which they may not be.
  await session.query('BEGIN');
  try {
    const { rows } = await runStatement(session, `EXPLAIN (FORMAT JSON) SELECT ${columns.join(', ')} FROM ONLY ${quoteQualified(schema, table)}${condition}`);
    const { Plan: plan } = (rows as ExplainRow[])[0]!['QUERY PLAN'][0];
    return { rows: plan['Plan Rows'], bytesPerRow: plan['Plan Width'] };
  } finally {
    await session.query('ROLLBACK');
  }
}

interface ExplainRow {
  readonly 'QUERY PLAN': readonly [{ readonly Plan: { readonly 'Plan Rows': number; readonly 'Plan Width': number } }];
}

/** Databases and WAL; what PostgreSQL writes to its logs is not in it. Needs `pg_monitor`. */
export async function readUsedBytes(session: Client): Promise<number> {
  const { rows } = await session.query<{ bytes: number }>(
    'SELECT ((SELECT sum(pg_database_size(oid)) FROM pg_database) + (SELECT coalesce(sum(size), 0) FROM pg_ls_waldir()))::float8 AS bytes',
  );
  return rows[0]!.bytes;
}
