import type { Client } from 'pg';

import { quoteLiteral } from '../database/sql-quoting';
import { isOthersWorkSql, locksSql } from './index-observation';
import { builderApplicationName, builderLockClass } from './index-session';

/** Somebody who keeps a build waiting or from beginning, or whom a build keeps waiting. */
export interface Wait {
  readonly index: string;
  /** `begins after`: it is not begun, since the other one works on its table. */
  readonly direction: 'waits for' | 'keeps waiting' | 'begins after';
  /** 0: a prepared transaction, which has no session. */
  readonly pid: number;
  /** Its name, if it is one. */
  readonly preparedAs: string | null;
  readonly application: string;
  readonly user: string;
  readonly state: string | null;
  /** Age of its transaction. */
  readonly transactionSeconds: number | null;
  readonly waitingSeconds: number | null;
}

const waitsSql = `
  WITH locks AS MATERIALIZED (SELECT * FROM pg_locks), builders AS (
    SELECT l.pid, l.objid AS "table", substr(a.application_name, $2) AS index,
           (SELECT extract(epoch FROM clock_timestamp() - min(w.waitstart))::int FROM locks w WHERE w.pid = l.pid AND NOT w.granted) AS seconds
      FROM locks l
      JOIN pg_stat_activity a USING (pid)
     WHERE l.locktype = 'advisory' AND l.classid = $1 AND l.objsubid = 2 AND l.granted
       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  ), pairs AS (
    SELECT b.index, b."table", 'waits for' AS direction, unnest(pg_blocking_pids(b.pid)) AS pid, b.seconds FROM builders b
    UNION ALL
    SELECT b.index, b."table", 'keeps waiting', w.pid, extract(epoch FROM clock_timestamp() - w.waitstart)::int
      FROM builders b JOIN locks w ON NOT w.granted AND w.pid <> b.pid AND b.pid = ANY (pg_blocking_pids(w.pid))
  )
  SELECT p.index, p.direction, a.pid, NULL AS "preparedAs", coalesce(a.application_name, '') AS application, coalesce(a.usename, '') AS user, a.state,
         extract(epoch FROM clock_timestamp() - a.xact_start)::int AS "transactionSeconds", p.seconds AS "waitingSeconds"
    FROM pairs p
    JOIN pg_stat_activity a ON a.pid = p.pid
   WHERE NOT EXISTS (SELECT FROM builders b WHERE b.pid = a.pid)
  UNION
  SELECT p.index, p.direction, 0, x.gid, '', x.owner::text, NULL, extract(epoch FROM clock_timestamp() - x.prepared)::int, p.seconds
    FROM pairs p
    JOIN locks l ON l.pid IS NULL AND l.relation = p."table" AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    JOIN locks id ON id.pid IS NULL AND id.locktype = 'transactionid' AND id.virtualtransaction = l.virtualtransaction
    JOIN pg_prepared_xacts x ON x.transaction = id.transactionid
   WHERE p.pid = 0
   ORDER BY 1, 2, 3`;

const worksSql = `
  WITH ${locksSql}
  SELECT DISTINCT l.relation::text AS "tableOid", 'begins after' AS direction, a.pid, NULL AS "preparedAs", coalesce(a.application_name, '') AS application,
         coalesce(a.usename, '') AS user, a.state, extract(epoch FROM clock_timestamp() - a.xact_start)::int AS "transactionSeconds", NULL::int AS "waitingSeconds"
    FROM locks l JOIN pg_stat_activity a USING (pid)
   WHERE l.relation = ANY ($1::oid[]) AND ${isOthersWorkSql('$2')}
   ORDER BY 1, a.pid`;

const tellFromSeconds = 1;
const tellAgainMs = 30_000;

/**
 * Who and builds of this database wait for each other; builds that wait for builds are left out, since they end by themselves.
 *
 * @param notBegun indexes that are not begun since somebody works on their table, by its oid
 */
export async function readWaits(session: Client, notBegun: ReadonlyMap<string, string> = new Map()): Promise<readonly Wait[]> {
  const { rows } = await session.query<Wait>(waitsSql, [builderLockClass, builderApplicationName.length + 1]);
  if (notBegun.size === 0) return rows;
  const works = await session.query<Omit<Wait, 'index'> & { readonly tableOid: string }>(worksSql, [[...notBegun.keys()], builderLockClass]);
  return [...rows, ...works.rows.map(({ tableOid, ...wait }) => ({ index: notBegun.get(tableOid)!, ...wait }))];
}

/** One sentence for people. */
export function describeWait({ index, direction, pid, preparedAs, application, user, state, transactionSeconds, waitingSeconds }: Wait): string {
  if (preparedAs !== null) {
    return `${index} has waited ${waitingSeconds ?? 0} s for the prepared transaction ${preparedAs} (${user}, ${transactionSeconds ?? 0} s old); writers are not blocked; whoever prepared it must end it with COMMIT PREPARED or, if nobody does: ROLLBACK PREPARED ${quoteLiteral(preparedAs)}`;
  }
  const who = `pid ${pid} (${[application || 'no application name', user, state ?? 'state not visible', transactionSeconds === null ? 'no transaction' : `transaction of ${transactionSeconds} s`].join(', ')})`;
  if (direction === 'begins after') return `${index} begins when ${who} has ended its work on the table; if nobody needs that, end it with: SELECT pg_terminate_backend(${pid})`;
  if (direction === 'keeps waiting') return `${index} keeps ${who} waiting for ${waitingSeconds ?? 0} s: DDL on the table waits for a build, and writers wait for such DDL; cancel it with: SELECT pg_cancel_backend(${pid})`;
  return `${index} has waited ${waitingSeconds ?? 0} s for ${who}; writers are not blocked; end it with: SELECT pg_terminate_backend(${pid})`;
}

/** A wait may last for hours: each is told of once in a while, and one that has just begun not at all. */
export class WaitsToTell {
  private readonly toldAtMs = new Map<string, number>();

  from(waits: readonly Wait[]): readonly Wait[] {
    const now = Date.now();
    return waits.filter(({ index, direction, pid, preparedAs, waitingSeconds }) => {
      const key = `${index} ${direction} ${preparedAs ?? pid}`;
      const hasJustBegun = direction !== 'begins after' && (waitingSeconds ?? 0) < tellFromSeconds;
      if (hasJustBegun || now - (this.toldAtMs.get(key) ?? 0) < tellAgainMs) return false;
      this.toldAtMs.set(key, now);
      return true;
    });
  }
}
