import type { Client } from 'pg';

import { builderLockClass } from '../indexes/index-session';
import { smokeTable } from './smoke-table';

/** One thing that a deploy must be able to do. */
export interface SmokeStep {
  /** What is tried, as a sentence continues "cannot …". */
  readonly what: string;
  /** Alias of the pooler. */
  readonly database: string;
  /** @throws Error if it does not work */
  readonly run: (session: Client) => Promise<void>;
}

const readOnlySqlTransaction = '25006';

/** A write and a read, each through the alias that it belongs to. One row stays, in a schema of its own. */
export function smokeSteps(database: string, readOnlyDatabase: string): readonly SmokeStep[] {
  return [
    { what: 'write and read back', database, run: writeAndReadBack },
    { what: 'find every index VALID', database, run: findNoInvalidIndex },
    { what: 'read', database: readOnlyDatabase, run: readFromReplica },
    { what: 'have a write refused', database: readOnlyDatabase, run: expectRefusal },
  ];
}

const writeSql = `INSERT INTO ${smokeTable} AS w (written_at) VALUES (clock_timestamp()) ON CONFLICT (only_row) DO UPDATE SET written_at = greatest(w.written_at, excluded.written_at)`;

async function writeAndReadBack(session: Client): Promise<void> {
  const { rows: written } = await session.query<{ at: string }>(`${writeSql} RETURNING written_at::text AS at`);
  // Another check may have written since, but never an earlier time.
  const { rows } = await session.query(`SELECT FROM ${smokeTable} WHERE written_at >= $1::timestamptz`, [written[0]!.at]);
  if (rows.length !== 1) throw new Error('what was written did not come back');
}

/** One that is being built, or made anew by hand, is no fault: whoever does it holds a lock on the table. */
async function findNoInvalidIndex(session: Client): Promise<void> {
  const { rows } = await session.query<{ name: string }>(
    `SELECT indexrelid::regclass::text AS name FROM pg_index i
      WHERE NOT indisvalid
        AND NOT EXISTS (SELECT FROM pg_locks l WHERE l.locktype = 'advisory' AND l.classid = $1 AND l.objid = i.indrelid AND l.objsubid = 2)
        AND NOT EXISTS (SELECT FROM pg_locks l WHERE l.relation = i.indrelid AND l.mode = 'ShareUpdateExclusiveLock')`,
    [builderLockClass],
  );
  if (rows.length > 0) throw new Error(`${rows.map(({ name }) => name).join(', ')} is INVALID: it costs writes and answers no query; npm run indexes -- status says what to do`);
}

async function readFromReplica(session: Client): Promise<void> {
  const { rows } = await session.query<{ replica: boolean }>(`SELECT pg_is_in_recovery() AS replica, (SELECT count(*) FROM ${smokeTable}) AS rows`);
  if (!rows[0]!.replica) throw new Error('it leads to the primary, not to a replica');
}

async function expectRefusal(session: Client): Promise<void> {
  // Rolled back in any case: the server connection goes back to a pool.
  await session.query('BEGIN');
  try {
    await session.query(writeSql);
  } catch (error) {
    if ((error as { code?: string }).code === readOnlySqlTransaction) return;
    throw error;
  } finally {
    await session.query('ROLLBACK');
  }
  throw new Error('a write was taken');
}

export interface SmokeOptions {
  readonly steps: readonly SmokeStep[];
  readonly connect: (database: string) => Promise<Client>;
  /** Until then, what fails is tried again: names and targets take a while to be known everywhere. */
  readonly deadline: Date;
  readonly log: (event: Readonly<Record<string, unknown>>) => void;
  /** @default 5000 */
  readonly pauseMs?: number;
}

/**
 * Runs every step until each has worked once.
 *
 * @throws Error that names every step that never did, with what the server said last
 */
export async function runSmokeSteps({ steps, connect, deadline, log, pauseMs = 5000 }: SmokeOptions): Promise<void> {
  for (let left = steps; ; ) {
    const outcomes = await Promise.all(left.map(async (step) => ({ step, problem: await problemOf(step, connect) })));
    const failed = outcomes.filter(({ problem }) => problem !== undefined);
    if (failed.length === 0) return;
    for (const { step, problem } of failed) log({ event: 'step failed', database: step.database, step: step.what, problem });
    if (Date.now() + pauseMs > deadline.getTime()) throw new Error(failed.map(({ step, problem }) => `cannot ${step.what} on ${step.database}: ${problem}`).join('; '));
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    left = failed.map(({ step }) => step);
  }
}

async function problemOf({ database, run }: SmokeStep, connect: SmokeOptions['connect']): Promise<string | undefined> {
  let session: Client | undefined;
  try {
    session = await connect(database);
    await run(session);
    return undefined;
  } catch (error) {
    return (error as Error).message || String((error as { code?: string }).code);
  } finally {
    await session?.end().catch(() => undefined);
  }
}
