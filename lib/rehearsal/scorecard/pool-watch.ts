import type { Phase, PoolSample } from '../report/measurements';
import type { Bench } from './bench';
import { PoolerConsoles } from './pooler-statistics';
import { whileSampling } from './while-sampling';

const sampledEveryMs = 1000;

/** What the pooler did while it was watched. */
export interface WatchedPool {
  readonly phases: readonly Phase[];
  readonly samples: readonly PoolSample[];
}

/** Runs a part of the work, under a name of its own. */
export type RunPhase = <Result>(title: string, work: () => Promise<Result>) => Promise<Result>;

/** Looks at the pooler about once a second while something runs. */
export async function whileWatchingPool<Result>({ connections, tier }: Pick<Bench, 'connections' | 'tier'>, work: (runPhase: RunPhase) => Promise<Result>): Promise<{ readonly result: Result; readonly pool: WatchedPool }> {
  const consoles = await PoolerConsoles.open(connections, tier.pooler.tasks.length);
  try {
    const phases: Phase[] = [];
    const samples: PoolSample[] = [];
    const startedAt = performance.now();
    const elapsedSeconds = (): number => (performance.now() - startedAt) / 1000;
    let last = { atSeconds: 0, transactions: (await consoles.statistics()).transactions };
    const sample = async (): Promise<void> => {
      const { transactions, ...now } = await consoles.statistics();
      const atSeconds = elapsedSeconds();
      const seconds = atSeconds - last.atSeconds;
      // The first look comes at once: a rate over so short a time would be noise.
      if (seconds < sampledEveryMs / 2000) return;
      samples.push({ ...now, atSeconds: last.atSeconds, transactionsPerSecond: (transactions - last.transactions) / seconds });
      last = { atSeconds, transactions };
    };
    const runPhase: RunPhase = async (title, ofPhase) => {
      const fromSeconds = elapsedSeconds();
      const result = await ofPhase();
      phases.push({ title, fromSeconds, toSeconds: elapsedSeconds() });
      return result;
    };
    const result = await whileSampling(sampledEveryMs, sample, () => work(runPhase));
    return { result, pool: { phases, samples } };
  } finally {
    await consoles.end();
  }
}
