import { percentile } from '../load/percentile';
import { runLoad } from '../load/pgbench';
import type { Drill } from './drill';
import { applicationAt } from './pooler-console';

const logins = 400;

export const loginStorm: Drill = {
  name: 'login-storm',
  title: 'Hundreds of log-ins at once',
  expectations: { errors: 0, longestSilenceSeconds: 3 },
  figures: [
    { name: 'logged-in', title: `log-ins that succeeded, of ${logins}`, unit: '', limit: { comparison: '=', value: logins } },
    { name: 'all-in', title: 'the last one after', unit: 's' },
    { name: 'unhealthy', title: 'health checks that failed meanwhile', unit: '', limit: { comparison: '=', value: 0 } },
    { name: 'p99', title: 'transactions meanwhile, p99', unit: 's', limit: { comparison: '≤', value: 1.5 } },
  ],
  why: 'as when another task was lost: PgBouncer is one thread, which the TLS handshakes keep busy for about a second, and everybody at the task waits for as long. Its health check knows busy from frozen',
  async run(scene) {
    const { tier, ledger, mark, measure } = scene;
    const task = tier.pooler.tasks[0]!;
    const startedAt = ledger.seconds;
    mark('fault', `${logins} clients come to one task at once`);
    let isOver = false;
    // A thread of pgbench logs its clients in one after another, so each has its own.
    const storm = runLoad(applicationAt(scene, 0), 0, { script: ['SELECT 1'], clients: logins, threads: logins, length: { transactionsPerClient: 1 }, protocol: 'simple' }).finally(() => {
      isOver = true;
    });
    storm.catch(() => undefined); // awaited below
    let unhealthy = 0;
    while (!isOver) if (!(await task.isHealthy())) unhealthy += 1;
    const { transactions, aborted } = await storm;
    measure('logged-in', transactions);
    measure('all-in', ledger.seconds - startedAt);
    measure('unhealthy', unhealthy);
    measure('p99', percentile(ledger.latenciesSince(startedAt), 99));
    mark('note', aborted ?? 'all of them are in');
  },
};
