import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Client } from 'pg';

const directory = join(__dirname, '../../../assets/booking-sample');

/** Scripts for pgbench, of the sample. */
export type SampleScript = 'booking' | 'read' | 'write' | 'session' | 'hold' | 'login';

export function sampleScript(name: SampleScript): string {
  return join(directory, `${name}.sql`);
}

/**
 * Makes the booking schema and fills it, two tables at a time; the same number of rows makes the same data.
 *
 * @param connect opens a session of the role that runs the application's migrations
 * @param rows appointments; the other tables follow in proportion
 */
export async function loadSample(connect: () => Promise<Client>, rows: number, onProgress: (what: string) => void): Promise<void> {
  const runScript = async (name: string): Promise<void> => {
    const session = await connect();
    try {
      // Nothing here is lost that could not be made again.
      await session.query('SET synchronous_commit = off');
      await session.query('SET statement_timeout = 0');
      await session.query("SELECT set_config('sample.rows', $1, false)", [String(rows)]);
      await session.query(await readFile(join(directory, `${name}.sql`), 'utf8'));
    } finally {
      await session.end();
    }
  };
  onProgress('schema and users');
  await runScript('schema');
  await runScript('generate-people');
  onProgress(`${rows.toLocaleString('en-US')} appointments, payments, events and reviews`);
  await Promise.all([runScript('generate-bookings'), runScript('generate-activity')]);
  onProgress('foreign keys and statistics');
  await runScript('constraints');
  const session = await connect();
  try {
    // The planner chooses by statistics, and the visibility map makes index-only scans cheap.
    await session.query('VACUUM (ANALYZE) locations, users, appointments, payments, analytics_events, reviews');
  } finally {
    await session.end();
  }
}
