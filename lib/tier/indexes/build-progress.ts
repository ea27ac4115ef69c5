import type { Client } from 'pg';

/** How far a build is. */
export interface BuildProgress {
  readonly tableOid: string;
  /** PostgreSQL's name of the phase. */
  readonly phase: string;
  /** Of the whole build, 0 to 100. */
  readonly percent: number;
}

const wholeBuild = 'building index';

/** Phases of a concurrent build in their order, with the share of the time that each usually takes, percent. */
const phases: readonly { readonly name: string; readonly share: number }[] = [
  { name: 'initializing', share: 0 },
  { name: 'waiting for writers before build', share: 1 },
  { name: 'building index: initializing', share: 0 },
  { name: 'building index: scanning table', share: 40 },
  { name: 'building index: sorting live tuples', share: 8 },
  { name: 'building index: sorting dead tuples', share: 0 },
  { name: 'building index: loading tuples in tree', share: 20 },
  { name: wholeBuild, share: 68 }, // methods that tell no more, or have steps of their own
  { name: 'waiting for writers before validation', share: 1 },
  { name: 'index validation: scanning index', share: 5 },
  { name: 'index validation: sorting tuples', share: 2 },
  { name: 'index validation: scanning table', share: 22 },
  { name: 'waiting for old snapshots', share: 1 },
];

export interface ProgressRow {
  readonly tableOid: string;
  readonly phase: string;
  readonly blocksDone: number;
  readonly blocksTotal: number;
  readonly tuplesDone: number;
  readonly tuplesTotal: number;
}

/** https://www.postgresql.org/docs/17/progress-reporting.html#CREATE-INDEX-PROGRESS-REPORTING */
export function progressOf({ tableOid, phase, blocksDone, blocksTotal, tuplesDone, tuplesTotal }: ProgressRow): BuildProgress {
  const known = phases.some(({ name }) => name === phase) ? phase : phase.startsWith(wholeBuild) ? wholeBuild : undefined;
  if (known === undefined) return { tableOid, phase, percent: phase.startsWith('waiting for readers') ? 99 : 0 };
  const position = phases.findIndex(({ name }) => name === known);
  const { share } = phases[position]!;
  const before = phases.slice(0, position).reduce((sum, earlier) => sum + (earlier.name === wholeBuild ? 0 : earlier.share), 0);
  // The steps of a build that tells its steps stand before it in the list, and are not before it in time.
  const start = known === wholeBuild ? before - share : before;
  const part = tuplesTotal > 0 ? tuplesDone / tuplesTotal : blocksTotal > 0 ? blocksDone / blocksTotal : 0;
  return { tableOid, phase, percent: Math.min(99, Math.floor(start + share * Math.min(1, part))) };
}

/** Builds in this database that the session may see: its own role's, or all with `pg_read_all_stats`. */
export async function readProgress(session: Client): Promise<readonly BuildProgress[]> {
  const { rows } = await session.query<ProgressRow>(
    `SELECT relid::text AS "tableOid", phase, blocks_done::float8 AS "blocksDone", blocks_total::float8 AS "blocksTotal",
            tuples_done::float8 AS "tuplesDone", tuples_total::float8 AS "tuplesTotal"
       FROM pg_stat_progress_create_index
      WHERE datname = current_database() AND phase IS NOT NULL`,
  );
  return rows.map(progressOf);
}
