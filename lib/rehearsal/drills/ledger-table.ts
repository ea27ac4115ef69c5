import type { Connections } from '../connections';
import type { PostgresServer } from '../engines/postgres-server';

/** Makes the table that holds the ids, anew; by the migrations role, so that it is the application's as every other one. */
export async function makeLedgerTable(connections: Connections): Promise<void> {
  const session = await connections.migrations();
  try {
    await session.query('DROP TABLE IF EXISTS drill_ledger');
    await session.query('CREATE TABLE drill_ledger (id bigint PRIMARY KEY)');
  } finally {
    await session.end();
  }
}

/** The sample has more. */
const users = 100;

/** A booking with an id of its own. */
export function bookingStatements(id: number) {
  return [
    { text: 'INSERT INTO drill_ledger (id) VALUES ($1)', values: [id] },
    {
      text: `INSERT INTO appointments (barber_id, client_id, location_id, appointment_date, duration_minutes, status)
        VALUES ($1, $1, 1, now(), 30, 'confirmed')`,
      values: [1 + (id % users)],
    },
  ];
}

/** Which of the ids a server does not have. */
export async function missingIds(server: PostgresServer, databaseName: string, ids: readonly number[], table: 'drill_ledger' | 'appointments' = 'drill_ledger'): Promise<readonly number[]> {
  const rows = await server.query<{ id: string }>(`SELECT id FROM unnest($1::bigint[]) AS promised (id) WHERE NOT EXISTS (SELECT FROM ${table} t WHERE t.id = promised.id)`, [ids], databaseName);
  return rows.map(({ id }) => Number(id));
}
