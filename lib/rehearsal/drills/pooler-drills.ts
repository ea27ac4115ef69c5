import type { PoolerTask } from '../deployment/pooler-task';
import type { Drill } from './drill';

const busyClients = { count: 24, pauseMs: 0 };

export const poolerKilled: Drill = {
  name: 'pooler-killed',
  title: 'Pooler killed, one of three',
  expectations: { recoverySeconds: 1, mostVisibleErrorsOfAClient: 1, longestSilenceSeconds: 2 },
  why: 'connections to it are reset, and the balancer sends who comes back to the others. That it hears of the end of a task at once is imitated: ECS takes seconds to tell it',
  async run({ tier, mark, defer }) {
    defer('a new task', () => tier.pooler.refill());
    mark('fault', 'a task is killed');
    await tier.pooler.kill(tier.pooler.tasks[0]!);
  },
};

export const poolerFrozen: Drill = {
  name: 'pooler-frozen',
  title: 'Pooler frozen, one of three',
  expectations: { recoverySeconds: 17, longestSilenceSeconds: 17 },
  figures: [{ name: 'unhealthy', title: 'unhealthy after', unit: 's', limit: { comparison: '≤', value: 15 } }],
  why: 'the kernel goes on accepting connections for it, so only a question that PgBouncer must answer tells: the health check of the task definition, asked as often as it says. Until it is killed, its clients wait',
  async run({ tier, mark, measure, ledger, defer, wait }) {
    defer('a new task', () => tier.pooler.refill());
    const { intervalSeconds, retries } = tier.pooler.healthCheck;
    const task = tier.pooler.tasks[0]!;
    const frozenAt = ledger.seconds;
    await task.freeze();
    mark('fault', 'a task is frozen');
    for (let failures = 0; failures < retries; ) {
      await wait(intervalSeconds);
      failures = (await task.isHealthy()) ? 0 : failures + 1;
    }
    measure('unhealthy', ledger.seconds - frozenAt);
    mark('note', `its health check, every ${intervalSeconds} s, has failed ${retries} times`);
    await untilEnded(task, wait);
    await tier.pooler.kill(task);
    mark('note', 'it has ended, and the balancer has been told');
  },
};

export const poolerRollingReplacement: Drill = {
  name: 'pooler-rolling-replacement',
  title: 'Every pooler replaced',
  clients: busyClients,
  expectations: { unknownOutcomes: 0, errorsAfterFirstStatement: 0, errors: busyClients.count, visibleErrors: 0, longestSilenceSeconds: 5 },
  why: `clients that never pause, each on a connection that is asked before it is used: a connection is closed between two transactions, once for each of the ${busyClients.count}. The balancer goes on sending new ones to tasks that leave, in the same proportion to the drain as in the template`,
  async run({ tier, mark }) {
    for (const note of tier.pooler.scaled) mark('note', note);
    mark('fault', 'a deployment replaces every task');
    await tier.pooler.roll();
    mark('repair', 'the last of the old tasks has ended');
  },
};

/** The entrypoint ends a PgBouncer that does not answer; ECS would stop the task too, but not before minutes. */
async function untilEnded(task: PoolerTask, wait: (seconds: number) => Promise<void>): Promise<void> {
  const mostSeconds = 20;
  for (let waited = 0; task.process.isRunning && waited < mostSeconds; waited += 0.1) await wait(0.1);
}
