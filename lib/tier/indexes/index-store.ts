import type { Client } from 'pg';

/** What CloudFormation last asked for, kept in the database, where the scheduled function finds it. */
export interface AcceptedCatalogue {
  /** Properties of the custom resource. */
  readonly properties: Readonly<Record<string, unknown>>;
  /** Of the event that brought it: whoever waits for an older one only looks on. */
  readonly requestId: string;
}

const createSql = `
  CREATE SCHEMA IF NOT EXISTS index_migrations;
  CREATE TABLE IF NOT EXISTS index_migrations.catalogue (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    properties jsonb NOT NULL,
    request_id text NOT NULL,
    accepted_at timestamptz NOT NULL DEFAULT now()
  )`;

export async function storeCatalogue(session: Client, { properties, requestId }: AcceptedCatalogue): Promise<void> {
  await session.query(createSql);
  await session.query(
    `INSERT INTO index_migrations.catalogue (properties, request_id) VALUES ($1, $2)
     ON CONFLICT (only_row) DO UPDATE SET properties = excluded.properties, request_id = excluded.request_id, accepted_at = now()`,
    [JSON.stringify(properties), requestId],
  );
}

/** Undefined before the first deploy. */
export async function readCatalogue(session: Client): Promise<AcceptedCatalogue | undefined> {
  const exists = await session.query<{ exists: boolean }>("SELECT to_regclass('index_migrations.catalogue') IS NOT NULL AS exists");
  if (!exists.rows[0]!.exists) return undefined;
  const { rows } = await session.query<AcceptedCatalogue>('SELECT properties, request_id AS "requestId" FROM index_migrations.catalogue');
  return rows[0];
}
