import type { Client } from 'pg';

import { type CataloguedIndex, qualifiedName } from './index-catalogue';
import { storeExists } from './index-store';
import type { BuildProblem } from './build-problems';

/** What is remembered of the building of an index. Losing it drops nothing: what is, stands in the catalog. */
export interface BuildRecord {
  readonly definition: string;
  readonly generation: number;
  /** Builds that were started for this definition in this generation. */
  readonly attempts: number;
  /** It was VALID at some look. */
  readonly finished: boolean;
  /** From the start of the build until it was found VALID; null if it was not built here. */
  readonly seconds: number | null;
  /** What the last build said when it failed. */
  readonly problem: string | null;
  /** Another attempt would fail too. */
  readonly hopeless: boolean;
}

export type BuildHistory = ReadonlyMap<string, BuildRecord>;

/** What a record is about. */
export interface RecordedBuild {
  readonly index: CataloguedIndex;
  /** Unique or not, and PostgreSQL's own text. */
  readonly definition: string;
  readonly generation: number;
}

/** A build that was found VALID for the first time. */
export interface FinishedBuild {
  readonly schema: string;
  readonly name: string;
  /** Until it was found; the scheduled function looks every five minutes. Null: it was not built here. */
  readonly seconds: number | null;
}

export async function readHistory(session: Client): Promise<BuildHistory> {
  if (!(await storeExists(session))) return new Map();
  const { rows } = await session.query<BuildRecord & { schema: string; name: string }>(
    `SELECT schema_name AS schema, index_name AS name, definition, generation::int AS generation, attempts,
            finished_at IS NOT NULL AS finished,
            extract(epoch FROM finished_at - started_at)::float8 AS seconds, problem, hopeless
       FROM index_migrations.builds`,
  );
  return new Map(rows.map(({ schema, name, ...record }) => [qualifiedName({ schema, name }), record]));
}

/**
 * Before a build: so that one that dies with its function is counted.
 *
 * @returns which attempt it is, from 1
 */
export async function recordStart(session: Client, { index, definition, generation }: RecordedBuild): Promise<number> {
  const { rows } = await session.query<{ attempts: number }>(
    `INSERT INTO index_migrations.builds AS b (schema_name, index_name, definition, generation, attempts, started_at) VALUES ($1, $2, $3, $4, 1, now())
     ON CONFLICT (schema_name, index_name) DO UPDATE SET
       attempts = CASE WHEN b.definition = excluded.definition AND b.generation = excluded.generation THEN b.attempts + 1 ELSE 1 END,
       definition = excluded.definition, generation = excluded.generation, started_at = now(), finished_at = NULL, problem = NULL, hopeless = false
     RETURNING attempts`,
    [index.schema, index.name, definition, generation],
  );
  return rows[0]!.attempts;
}

/** After a build, if it is still the last one: a function that was frozen may come to know late. What then is there was not built by it. */
export async function recordProblem(session: Client, { index, generation }: RecordedBuild, attempt: number, { problem, hopeless, outOfSight = false }: BuildProblem): Promise<void> {
  await session.query(
    `UPDATE index_migrations.builds SET problem = $5, hopeless = $6, started_at = CASE WHEN $7 THEN started_at END
      WHERE schema_name = $1 AND index_name = $2 AND generation = $3 AND attempts = $4 AND finished_at IS NULL`,
    [index.schema, index.name, generation, attempt, problem, hopeless, outOfSight],
  );
}

/** It is known that the build is VALID. */
export function isRecordedFinished(history: BuildHistory, { index, definition, generation }: RecordedBuild): boolean {
  const record = history.get(qualifiedName(index));
  return record !== undefined && record.finished && record.definition === definition && record.generation === generation;
}

/** Remembers what is VALID, and returns what was not yet known to be. Of two that look at once, one gets it. */
export async function recordFinished(session: Client, builds: readonly RecordedBuild[]): Promise<readonly FinishedBuild[]> {
  if (builds.length === 0) return [];
  const { rows } = await session.query<FinishedBuild>(
    `INSERT INTO index_migrations.builds AS b (schema_name, index_name, definition, generation, attempts, finished_at)
     SELECT *, 0, now() FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
     ON CONFLICT (schema_name, index_name) DO UPDATE SET
       definition = excluded.definition, generation = excluded.generation, finished_at = now(), problem = NULL, hopeless = false,
       started_at = CASE WHEN b.definition = excluded.definition AND b.finished_at IS NULL THEN b.started_at END
      WHERE b.finished_at IS NULL OR b.definition <> excluded.definition OR b.generation <> excluded.generation
     RETURNING schema_name AS schema, index_name AS name, extract(epoch FROM finished_at - started_at)::float8 AS seconds`,
    [
      builds.map(({ index }) => index.schema),
      builds.map(({ index }) => index.name),
      builds.map(({ definition }) => definition),
      builds.map(({ generation }) => generation),
    ],
  );
  return rows;
}
