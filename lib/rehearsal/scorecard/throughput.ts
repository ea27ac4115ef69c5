import type { LoadOptions, LoadTarget } from '../load/pgbench';
import type { Check } from '../report/report';
import { type Bench, checkOf, load } from './bench';
import { checkDatabaseCpu, whileWatchingCost } from './database-cpu';
import { whileWatchingLag } from './replica-lag';

/** Enough to keep every server connection of the pool busy. */
const clients = 64;

/** Reads on the replicas and writes on the primary, what they cost, and the same at the primary alone. */
export async function measureThroughput(bench: Bench): Promise<readonly Check[]> {
  const { primary, replicas } = bench.tier.databases;
  const { readOnly, readWrite, direct } = bench.connections;
  const whole = { clients, protocol: 'prepared', length: { seconds: bench.loadSeconds } } as const;
  const reads = await whileWatchingCost(replicas, () => load(bench, readOnly, { script: 'read', ...whole }));
  const writes = await whileWatchingLag(replicas, () => whileWatchingCost([primary], () => load(bench, readWrite, { script: 'write', ...whole })));
  const directReads = await whileWatchingCost([primary], () => load(bench, direct, shortly(bench, 'read')));
  const directWrites = await whileWatchingLag(replicas, () => whileWatchingCost([primary], () => load(bench, direct, shortly(bench, 'write'))));
  const costs = { readCpuMs: reads.cpuMs, writeCpuMs: writes.result.cpuMs };
  const directCosts = { readCpuMs: directReads.cpuMs, writeCpuMs: directWrites.result.cpuMs };
  return [
    { ...checkOf('read-queries', reads.result.transactionsPerSecond, reads.result), direct: { measured: directReads.result.transactionsPerSecond } },
    { ...checkOf('write-transactions', writes.result.result.transactionsPerSecond, writes.result.result), direct: { measured: directWrites.result.result.transactionsPerSecond } },
    await measureTogether(bench),
    { ...checkOf('replica-lag', writes.longestLagSeconds, writes.result.result), direct: { measured: directWrites.longestLagSeconds, detail: 'the same writes past the pooler' } },
    await checkDatabaseCpu(primary, replicas, costs, directCosts),
  ];
}

/** Reads on the replicas beside writes on the primary; without the tier, the primary has both. */
async function measureTogether(bench: Bench): Promise<Check> {
  const { readOnly, readWrite, direct } = bench.connections;
  const both = async (readsAt: LoadTarget, writesAt: LoadTarget) => {
    const [reads, writes] = await Promise.all([load(bench, readsAt, shortly(bench, 'read')), load(bench, writesAt, shortly(bench, 'write'))]);
    const detail = `${reads.transactionsPerSecond.toFixed(0)} reads/s and ${writes.transactionsPerSecond.toFixed(0)} writes/s`;
    return { rate: reads.transactionsPerSecond + writes.transactionsPerSecond, detail, limited: reads.limited && writes.limited, aborted: reads.aborted ?? writes.aborted };
  };
  const tier = await both(readOnly, readWrite);
  const primary = await both(direct, direct);
  return { ...checkOf('reads-and-writes', tier.rate, tier, tier.detail), direct: { measured: primary.rate, detail: primary.detail } };
}

/** For figures that stand beside others: half of the time is enough. */
function shortly(bench: Bench, script: 'read' | 'write'): LoadOptions {
  return { script, clients, protocol: 'prepared', length: { seconds: Math.ceil(bench.loadSeconds / 2) } };
}
