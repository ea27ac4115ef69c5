import type { RunningInstance } from '../deployment/databases';
import { whileSampling } from './while-sampling';

const sampledEveryMs = 500;

/**
 * The longest delay of replay on any replica meanwhile: the age of the last transaction that it has replayed, as long
 * as it has received more; no older than the work, since what came before it has been replayed. https://www.postgresql.org/docs/17/functions-admin.html#FUNCTIONS-RECOVERY-CONTROL
 */
export async function whileWatchingLag<Result>(replicas: readonly RunningInstance[], work: () => Promise<Result>): Promise<{ readonly result: Result; readonly longestLagSeconds: number }> {
  const sessions = await Promise.all(replicas.map(({ server }) => server.superuser()));
  const startedAt = performance.now();
  let longestLagSeconds = 0;
  try {
    const sample = async (): Promise<void> => {
      for (const session of sessions) {
        const { rows } = await session.query<{ lag: number }>(
          `SELECT CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
                       ELSE coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 0) END::float8 AS lag`,
        );
        const sinceStartSeconds = (performance.now() - startedAt) / 1000;
        longestLagSeconds = Math.max(longestLagSeconds, Math.min(rows[0]!.lag, sinceStartSeconds));
      }
    };
    const result = await whileSampling(sampledEveryMs, sample, work);
    return { result, longestLagSeconds };
  } finally {
    await Promise.all(sessions.map((session) => session.end()));
  }
}
