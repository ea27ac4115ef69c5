import type { AssemblyStack } from '../../assembly/environment-assembly';
import type { Progress } from '../report/progress';
import type { Report } from '../report/report';
import type { Bench } from './bench';
import { measureCollector } from './collector';
import { measureConnectionOverhead, measureConnections, measureLoadTest } from './connections';
import { measureIndexedQuery } from './indexed-query';
import { measureIndexedQueries } from './indexed-query-results';
import { checkIndexes } from './indexes';
import { measureOpenTransactions } from './open-transactions';
import { whileWatchingPool } from './pool-watch';
import { checkSettings } from './settings';
import { measureThroughput } from './throughput';

/** What was measured, as the report holds it. */
export type Scorecard = Pick<Report, 'checks' | 'latencies' | 'indexedQueries' | 'pool'>;

export interface ScorecardOptions {
  /** Of each of the 100 clients of the guide's load test. */
  readonly loadTransactions: number;
  /** With think time. */
  readonly sessions: number;
  readonly progress: Progress;
}

/** Measures every target, one after another, and watches the pooler meanwhile. */
export async function measureScorecard(bench: Bench, stacks: readonly AssemblyStack[], { loadTransactions, sessions, progress }: ScorecardOptions): Promise<Scorecard> {
  const { result, pool } = await whileWatchingPool(bench, async (runPhase): Promise<Omit<Scorecard, 'pool'>> => {
    const step = <Result>(title: string, work: () => Promise<Result>): Promise<Result> => {
      progress.begin(`Measuring: ${title}`);
      return runPhase(title, work);
    };
    const indexedQueries = await step('the query of each index', () => measureIndexedQueries(bench));
    const overhead = await step('logins', () => measureConnectionOverhead(bench));
    const loadTest = await step("the guide's load test", () => measureLoadTest(bench, loadTransactions));
    const indexedQuery = await step('indexed queries', () => measureIndexedQuery(bench));
    const throughput = await step('reads and writes', () => measureThroughput(bench));
    const openTransactions = await step('transactions that stay open', () => measureOpenTransactions(bench));
    const connections = await step(`1,000 busy connections${sessions > 0 ? ` and ${sessions.toLocaleString('en-US')} sessions` : ''}`, () => measureConnections(bench, sessions));
    const collector = await step('metrics', () => measureCollector(bench));
    const indexesValid = await checkIndexes(bench, stacks, indexedQueries);
    return {
      checks: [...connections, indexedQuery.check, ...throughput, openTransactions, ...loadTest.checks, overhead, indexesValid, await checkSettings(bench), collector],
      latencies: [indexedQuery.latencies, loadTest.latencies],
      indexedQueries,
    };
  });
  return { ...result, pool };
}
