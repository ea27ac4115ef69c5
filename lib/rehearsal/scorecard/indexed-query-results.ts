import { Client } from 'pg';

import { type IndexedQuery, indexedQueries } from '../load/indexed-queries';
import { latencySummary } from '../load/latency-curve';
import { clientConfig } from '../load/client-config';
import type { LoadTarget } from '../load/pgbench';
import type { IndexedQueryResult } from '../report/measurements';
import { type Bench, load } from './bench';

/** As many as are busy at once when half of the database's capacity is used. */
const clients = 4;
/** Of each query on each way, so that its 99th percentile is one of three: as far as the time for a load allows. */
const mostRunsPerQuery = 300;
const runsPerQueryAndSecond = 50;

interface Plan {
  /** The node that reads the index, or the whole plan if none does. */
  readonly text: string;
  readonly used: boolean;
}

/** Runs the query of each index through the pooler and at the primary, all of them mixed, and reads their plans there. */
export async function measureIndexedQueries(bench: Bench): Promise<readonly IndexedQueryResult[]> {
  const { readWrite, direct } = bench.connections;
  const plans = [await explain(readWrite), await explain(direct)];
  const [pooled, directly] = [await latencies(bench, readWrite), await latencies(bench, direct)];
  return indexedQueries.map(({ index, sql }, query) => {
    const ofQuery = plans.map((plan) => plan[query]!);
    return {
      index,
      sql,
      used: ofQuery.every(({ used }) => used),
      plan: (ofQuery.find(({ used }) => !used) ?? ofQuery[0]!).text,
      pooled: latencySummary(pooled[query]!),
      direct: latencySummary(directly[query]!),
    };
  });
}

async function latencies(bench: Bench, target: LoadTarget): Promise<readonly (readonly number[])[]> {
  const runsPerQuery = Math.min(mostRunsPerQuery, runsPerQueryAndSecond * bench.loadSeconds);
  const { latenciesMsByScript } = await load(bench, target, {
    script: indexedQueries.map(({ sql }) => sql),
    clients,
    protocol: 'prepared',
    length: { transactionsPerClient: Math.ceil((runsPerQuery * indexedQueries.length) / clients) },
    latencies: { afterTransactions: 0 },
  });
  return latenciesMsByScript;
}

/** Executes each query once and sees which indexes it has read. https://www.postgresql.org/docs/17/sql-explain.html */
async function explain(target: LoadTarget): Promise<readonly Plan[]> {
  const session = new Client(clientConfig(target));
  await session.connect();
  try {
    const plans: Plan[] = [];
    for (const query of indexedQueries) {
      const { rows } = await session.query<{ 'QUERY PLAN': string }>(`EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ${query.sql}`);
      plans.push(readPlan(query, rows.map((row) => row['QUERY PLAN'])));
    }
    return plans;
  } finally {
    await session.end();
  }
}

/** An index that the plan names and that was never read is not used. */
export function readPlan({ index }: Pick<IndexedQuery, 'index'>, lines: readonly string[]): Plan {
  const node = lines.find((line) => new RegExp(` (?:using|on) ${index} `).test(line) && !line.includes('never executed'));
  return { used: node !== undefined, text: node?.replace(/^[\s>-]+/, '') ?? lines.join('\n') };
}
