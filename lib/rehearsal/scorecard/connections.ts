import { latencyCurve } from '../load/latency-curve';
import { percentile } from '../load/percentile';
import type { LatencyComparison } from '../report/measurements';
import type { Check } from '../report/report';
import { type Bench, checkOf, load, loadOrRefusal } from './bench';
import { countSessions, reuseBetween, serverSessions } from './connection-reuse';
import { fillDirectly } from './direct-connections';
import { PoolerConsoles } from './pooler-statistics';
import { whileSampling } from './while-sampling';

const loginRuns = 20;
const loginsPerRun = 25;
const busyConnections = 1000;
// Lengths are transactions, not seconds: pgbench's clock runs during its logins, which take the longer the more there are.
const busyQueriesPerClientAndSecond = 4;
/** With fewer, the clients would be gone before anybody counted them. */
const fewestBusyQueriesPerClient = 20;
const longestThinkSeconds = 10;
const queriesPerSession = 2;
const sampledEveryMs = 500;
/** Of the guide's load test, at the database itself: enough for a rate and its latencies. */
const directShare = 0.1;

/** What a new connection costs a client: TCP, TLS, login, a query and the goodbye, by libpq. */
export async function measureConnectionOverhead(bench: Bench): Promise<Check> {
  const latenciesMs: number[] = [];
  const directLatenciesMs: number[] = [];
  let limitedRuns = 0;
  const options = { script: 'login', clients: 1, protocol: 'simple', reconnect: true, length: { transactionsPerClient: loginsPerRun } } as const;
  for (let index = 0; index < loginRuns; index++) {
    const pooled = await load(bench, bench.connections.readWrite, options);
    latenciesMs.push(1000 / pooled.transactionsPerSecond);
    if (pooled.limited) limitedRuns += 1;
    directLatenciesMs.push(1000 / (await load(bench, bench.connections.direct, options)).transactionsPerSecond);
  }
  const limited = limitedRuns > loginRuns / 2;
  const where = limited ? '; client and pooler together kept a core of this machine busy, so a faster core is all that would make it faster' : '';
  const check = checkOf('connection-overhead', percentile(latenciesMs, 50), { limited }, `median of ${loginRuns} runs of ${loginsPerRun} logins, one after another${where}`);
  return { ...check, direct: { measured: percentile(directLatenciesMs, 50) } };
}

/** The guide's own load test, and how many server sessions it took. */
export async function measureLoadTest(bench: Bench, transactionsPerClient: number): Promise<{ readonly checks: readonly Check[]; readonly latencies: LatencyComparison }> {
  const before = await countSessions(bench);
  // The guide's command names no protocol, and pgbench's own is the simple one.
  const options = { script: 'booking', clients: 100, threads: 10, protocol: 'simple', latencies: { afterTransactions: 1 } } as const;
  const pooled = await load(bench, bench.connections.readWrite, { ...options, length: { transactionsPerClient } });
  const after = await countSessions(bench);
  const { newSessions, transactions, percent } = reuseBetween(before, after);
  const sessionsBefore = await serverSessions(bench);
  const direct = await load(bench, bench.connections.direct, { ...options, length: { transactionsPerClient: Math.max(2, Math.ceil(transactionsPerClient * directShare)) } });
  const directSessions = (await serverSessions(bench)) - sessionsBefore;
  const directReuse = { measured: 100 * (1 - directSessions / direct.transactions), detail: `${directSessions} sessions for ${direct.transactions} transactions, of clients that never leave` };
  const loadTest = checkOf('load-test', pooled.failed, pooled, `${pooled.transactions} of ${100 * transactionsPerClient} transactions at ${pooled.transactionsPerSecond.toFixed(0)}/s`);
  return {
    checks: [
      { ...loadTest, direct: { measured: direct.failed, detail: `${direct.transactionsPerSecond.toFixed(0)}/s, on 100 sessions of the database` } },
      { ...checkOf('connection-reuse', percent, {}, `${newSessions} new server sessions for ${transactions} transactions of the pooler`), direct: directReuse },
    ],
    latencies: {
      name: 'load-test',
      title: "The guide's load test, 100 clients that never pause",
      curves: [latencyCurve('through the pooler', [pooled.latenciesMs]), latencyCurve('directly at the primary', [direct.latenciesMs])],
    },
  };
}

/** Many clients that query all the time, and very many that think between queries; none of those leaves their target out. */
export async function measureConnections(bench: Bench, sessions: number): Promise<readonly Check[]> {
  const busy = await countClients(bench, () =>
    loadOrRefusal(bench, bench.connections.readWrite, { script: 'read', clients: busyConnections, protocol: 'prepared', length: { transactionsPerClient: Math.max(fewestBusyQueriesPerClient, bench.loadSeconds * busyQueriesPerClientAndSecond) } }),
  );
  const direct = await fillDirectly(bench.connections.direct, busyConnections, bench.signal);
  const concurrent = { ...checkOf('concurrent-connections', busy.mostClients, busy, `${busy.transactions} queries, ${busy.failed} failed`), direct };
  if (sessions === 0) return [concurrent];
  const thinkSeconds = Math.min(longestThinkSeconds, bench.loadSeconds);
  const thinking = await countClients(bench, () =>
    loadOrRefusal(bench, bench.connections.readWrite, {
      script: 'session',
      clients: sessions,
      protocol: 'simple',
      length: { transactionsPerClient: queriesPerSession },
      variables: { think_seconds: thinkSeconds },
    }),
  );
  return [
    concurrent,
    // Where every session that was asked for came in, the machine was not the limit, however busy.
    { ...checkOf('sessions', thinking.mostClients, { ...thinking, limited: thinking.limited && thinking.mostClients < sessions }, `${sessions} asked for, a query every ${thinkSeconds} s each; ${thinking.transactions} queries, ${thinking.failed} failed`), direct },
  ];
}

/** Clients of the load, seen at the pooler's consoles. */
async function countClients<Result>(bench: Bench, work: () => Promise<Result>): Promise<Result & { readonly mostClients: number }> {
  const consoles = await PoolerConsoles.open(bench.connections, bench.tier.pooler.tasks.length);
  try {
    let mostClients = 0;
    const sample = async (): Promise<void> => {
      const { clients } = await consoles.statistics();
      mostClients = Math.max(mostClients, clients);
    };
    const result = await whileSampling(sampledEveryMs, sample, work);
    return { ...result, mostClients };
  } finally {
    await consoles.end();
  }
}
