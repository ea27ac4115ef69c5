import type { Check } from '../report/report';
import { type Bench, checkOf, loadOrRefusal } from './bench';
import { PoolerConsoles, type PoolerStatistics } from './pooler-statistics';
import { whileSampling } from './while-sampling';

/** More than any pool here has server connections, so that all of them are used. */
const clients = 200;
/** Long beside what the database needs, so that this machine does not matter. */
const holdMs = 100;
const transactionsPerClient = 5;
const sampledEveryMs = 250;

/** How many transactions the pooler lets be open at once, each for as long as an application computes in it. */
export async function measureOpenTransactions(bench: Bench): Promise<Check> {
  const { connections, tier } = bench;
  const tasks = tier.pooler.tasks.length;
  const consoles = await PoolerConsoles.open(connections, tasks);
  try {
    let fullest: PoolerStatistics | undefined;
    const sample = async (): Promise<void> => {
      const now = await consoles.statistics();
      if (fullest === undefined || now.serversBusy > fullest.serversBusy) fullest = now;
    };
    const load = await whileSampling(sampledEveryMs, sample, () =>
      loadOrRefusal(bench, connections.readWrite, { script: 'hold', clients, protocol: 'extended', length: { transactionsPerClient }, variables: { hold_ms: holdMs } }),
    );
    const { serversBusy, clientsWaiting } = fullest!;
    const most = Math.floor((serversBusy / tasks) * tier.pooler.mostTasks);
    const here = `${clients} clients kept ${serversBusy} server connections of ${tasks} tasks busy, and ${clientsWaiting} waited for one`;
    return checkOf('open-transactions', most, { extrapolated: tier.pooler.mostTasks > tasks, aborted: load.aborted }, `${here}; ${serversBusy} ÷ ${tasks} × the ${tier.pooler.mostTasks} tasks of autoscaling = ${most}`);
  } finally {
    await consoles.end();
  }
}
