import type { Client } from 'pg';

import type { CataloguedIndex } from './index-catalogue';
import type { AcceptedTrial } from './index-trial';

/** Of a page's tuple, without its key: item pointer, header, alignment. https://www.postgresql.org/docs/17/storage-page-layout.html */
const bytesOfTuple = 16;
/** Of a key that has no statistics, as an expression. */
const unknownKeyBytes = 32;
const leafFill = 0.9;
/** Left to the rest of the database, so that a build never brings it to a halt. */
const reserveShare = 0.05;

const gib = 2 ** 30;

/** What is known of a table's size. */
export interface TableSize {
  readonly rows: number;
  /** Of the index's columns, bytes; null where there are no statistics. */
  readonly keyBytes: readonly (number | null)[];
}

/** Space of an instance as far as it can be told from its allocated storage. */
export interface InstanceSpace {
  readonly allocatedBytes: number;
  readonly usedBytes: number;
}

/** Bytes that a build may take at its height: the index, the runs of its sort, and the WAL of writing it. */
export function bytesForBuild({ rows, keyBytes }: TableSize): { readonly index: number; readonly atMost: number } {
  const key = keyBytes.reduce<number>((sum, bytes) => sum + (bytes ?? unknownKeyBytes), 0);
  const index = Math.ceil((Math.max(0, rows) * (key + bytesOfTuple)) / leafFill);
  return { index, atMost: 3 * index };
}

/** Why a build is not started; undefined if it may be. */
export function spaceProblem(size: TableSize, { allocatedBytes, usedBytes }: InstanceSpace): string | undefined {
  const { index, atMost } = bytesForBuild(size);
  const free = allocatedBytes * (1 - reserveShare) - usedBytes;
  if (atMost <= free) return undefined;
  const text = (bytes: number): string => `${(Math.max(0, bytes) / gib).toFixed(1)} GiB`;
  return `its build may take ${text(atMost)} (the index ${text(index)}, its sort and its WAL as much each), and of the instance's ${text(allocatedBytes)} only ${text(free)} are free beyond a reserve of ${100 * reserveShare} %; raise storage.sizeGiB`;
}

export async function readTableSize(session: Client, { schema, table }: CataloguedIndex, trial: AcceptedTrial): Promise<TableSize> {
  const { columns, columnCount } = trial;
  const { rows } = await session.query<{ rows: number; keyBytes: number | null }>(
    `SELECT c.reltuples::float8 AS rows, s.avg_width::float8 AS "keyBytes"
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       LEFT JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = ANY ($3::text[])
      WHERE n.nspname = $1 AND c.relname = $2`,
    [schema, table, columns],
  );
  const known = rows.map(({ keyBytes }) => keyBytes).filter((bytes) => bytes !== null);
  const unknown = Array<null>(Math.max(0, columnCount - known.length)).fill(null);
  return { rows: rows[0]?.rows ?? 0, keyBytes: [...known, ...unknown] };
}

/** Databases and WAL; what PostgreSQL writes to its logs is not in it. Needs `pg_monitor`. */
export async function readUsedBytes(session: Client): Promise<number> {
  const { rows } = await session.query<{ bytes: number }>(
    'SELECT ((SELECT sum(pg_database_size(oid)) FROM pg_database) + (SELECT coalesce(sum(size), 0) FROM pg_ls_waldir()))::float8 AS bytes',
  );
  return rows[0]!.bytes;
}
