import { percentile } from '../load/percentile';
import type { Check } from '../report/report';
import { type Bench, checkOf, load } from './bench';
import { countSessions, reuseBetween } from './connection-reuse';
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

/** What a new connection costs a client: TCP, TLS, login, a query and the goodbye, by libpq. */
export async function measureConnectionOverhead(bench: Bench): Promise<Check> {
  const latenciesMs: number[] = [];
  let limitedRuns = 0;
  for (let index = 0; index < loginRuns; index++) {
    const { transactionsPerSecond, limited } = await load(bench, bench.connections.readWrite, {
      script: 'login',
      clients: 1,
      protocol: 'simple',
      reconnect: true,
      length: { transactionsPerClient: loginsPerRun },
    });
    latenciesMs.push(1000 / transactionsPerSecond);
    if (limited) limitedRuns += 1;
  }
  const limited = limitedRuns > loginRuns / 2;
  const where = limited ? '; client and pooler together kept a core of this machine busy, so a faster core is all that would make it faster' : '';
  return checkOf('connection-overhead', percentile(latenciesMs, 50), { limited }, `median of ${loginRuns} runs of ${loginsPerRun} logins, one after another${where}`);
}

/** The guide's own load test, and how many server sessions it took. */
export async function measureLoadTest(bench: Bench, transactionsPerClient: number): Promise<readonly Check[]> {
  const before = await countSessions(bench);
  const { transactions, failed, transactionsPerSecond } = await load(bench, bench.connections.readWrite, {
    script: 'booking',
    clients: 100,
    threads: 10,
    protocol: 'extended',
    length: { transactionsPerClient },
  });
  const after = await countSessions(bench);
  const { newSessions, transactions: pooled, percent } = reuseBetween(before, after);
  return [
    checkOf('load-test', failed, {}, `${transactions} of ${100 * transactionsPerClient} transactions at ${transactionsPerSecond.toFixed(0)}/s`),
    checkOf('connection-reuse', percent, {}, `${newSessions} new server sessions for ${pooled} transactions of the pooler`),
  ];
}

/** Many clients that query all the time, and very many that think between queries. */
export async function measureConnections(bench: Bench, sessions: number): Promise<readonly Check[]> {
  const busy = await countClients(bench, () =>
    load(bench, bench.connections.readWrite, { script: 'read', clients: busyConnections, protocol: 'prepared', length: { transactionsPerClient: Math.max(fewestBusyQueriesPerClient, bench.loadSeconds * busyQueriesPerClientAndSecond) } }),
  );
  const thinkSeconds = Math.min(longestThinkSeconds, bench.loadSeconds);
  const thinking = await countClients(bench, () =>
    load(bench, bench.connections.readWrite, {
      script: 'session',
      clients: sessions,
      protocol: 'simple',
      length: { transactionsPerClient: queriesPerSession },
      variables: { think_seconds: thinkSeconds },
    }),
  );
  return [
    // Where every session that was asked for came in, the machine was not the limit, however busy.
    checkOf('concurrent-connections', busy.mostClients, busy, `${busy.transactions} queries, ${busy.failed} failed`),
    checkOf('sessions', thinking.mostClients, { limited: thinking.limited && thinking.mostClients < sessions }, `${sessions} asked for, a query every ${thinkSeconds} s each; ${thinking.transactions} queries, ${thinking.failed} failed`),
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
