import type { Client } from 'pg';

import { builderLockClass } from './index-session';

/** What CloudFormation last asked for, kept in the database, where the scheduled function finds it. */
export interface AcceptedCatalogue {
  /** Properties of the custom resource. */
  readonly properties: Readonly<Record<string, unknown>>;
  /** Of the event that brought it: whoever waits for an older one only looks on. */
  readonly requestId: string;
  /** Counts what was accepted. A rollback does not count: what was done for the last deploy is not done again. */
  readonly generation: number;
  /** CloudFormation went back to it: nothing that it left behind is dropped. */
  readonly rolledBack: boolean;
  readonly ageSeconds: number;
}

const createSql = `
  CREATE SCHEMA IF NOT EXISTS index_migrations;
  CREATE TABLE IF NOT EXISTS index_migrations.catalogue (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    properties jsonb NOT NULL,
    previous_properties jsonb,
    request_id text NOT NULL,
    generation bigint NOT NULL DEFAULT 1,
    rolled_back boolean NOT NULL DEFAULT false,
    accepted_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE TABLE IF NOT EXISTS index_migrations.builds (
    schema_name text,
    index_name text,
    definition text NOT NULL,
    generation bigint NOT NULL,
    attempts int NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    problem text,
    hopeless boolean NOT NULL DEFAULT false,
    PRIMARY KEY (schema_name, index_name)
  )`;

/** Makes the schema, if it is not there. */
export async function prepareStore(session: Client): Promise<void> {
  if (await storeExists(session)) return;
  // IF NOT EXISTS alone fails in one of two sessions that create at the same moment.
  await session.query(`BEGIN; SELECT pg_advisory_xact_lock(${builderLockClass}, 0); ${createSql}; COMMIT`);
}

/**
 * Stores what a deploy asks for. The same request twice, as after a connection that was lost, is one.
 *
 * @param askedSecondsAgo CloudFormation's hour runs since then
 */
export async function acceptCatalogue(session: Client, properties: AcceptedCatalogue['properties'], requestId: string, askedSecondsAgo = 0): Promise<void> {
  await prepareStore(session);
  await session.query(
    `INSERT INTO index_migrations.catalogue AS c (properties, request_id, accepted_at) VALUES ($1, $2, now() - make_interval(secs => $3))
     ON CONFLICT (only_row) DO UPDATE SET properties = excluded.properties, previous_properties = c.properties, request_id = excluded.request_id,
       generation = c.generation + 1, rolled_back = false, accepted_at = excluded.accepted_at
      WHERE c.request_id <> excluded.request_id`,
    [JSON.stringify(properties), requestId, askedSecondsAgo],
  );
}

/**
 * Goes back to a catalogue if it is the accepted one or the one before, as CloudFormation does when a deploy fails. The
 * request that brought it, once more, is no way back.
 *
 * @returns false, with nothing changed, if it is neither
 */
export async function returnToCatalogue(session: Client, properties: AcceptedCatalogue['properties'], requestId: string): Promise<boolean> {
  if (!(await storeExists(session))) return false;
  const { rowCount } = await session.query(
    `UPDATE index_migrations.catalogue SET properties = $1, request_id = $2, rolled_back = true, accepted_at = now(),
       previous_properties = CASE WHEN properties = $1 THEN previous_properties ELSE properties END
      WHERE (properties = $1 OR previous_properties = $1) AND (rolled_back OR request_id <> $2)`,
    [JSON.stringify(properties), requestId],
  );
  return rowCount === 1;
}

/**
 * Accepts the catalogue once more, as a deploy of it would: what was given up or has drifted is built again.
 *
 * @returns false before the first deploy
 */
export async function acceptAgain(session: Client): Promise<boolean> {
  if (!(await storeExists(session))) return false;
  const { rowCount } = await session.query('UPDATE index_migrations.catalogue SET generation = generation + 1, rolled_back = false, accepted_at = now()');
  return rowCount === 1;
}

/** Undefined before the first deploy. */
export async function readCatalogue(session: Client): Promise<AcceptedCatalogue | undefined> {
  if (!(await storeExists(session))) return undefined;
  const { rows } = await session.query<AcceptedCatalogue>(
    `SELECT properties, request_id AS "requestId", generation::int AS generation, rolled_back AS "rolledBack",
            extract(epoch FROM now() - accepted_at)::float8 AS "ageSeconds" FROM index_migrations.catalogue`,
  );
  return rows[0];
}

/** False before the first deploy. */
export async function storeExists(session: Client): Promise<boolean> {
  const { rows } = await session.query<{ exists: boolean }>("SELECT to_regclass('index_migrations.builds') IS NOT NULL AS exists");
  return rows[0]!.exists;
}
