import type { RunningInstance } from '../deployment/databases';
import { findMetric } from '../load/metrics';
import { latencyCurve, medianPercentile } from '../load/latency-curve';
import type { LatencyComparison } from '../report/measurements';
import type { LoadOptions, LoadTarget } from '../load/pgbench';
import type { Check, DirectFigure } from '../report/report';
import { type Bench, checkOf, load } from './bench';
import { instanceVCpus } from './instance-vcpus';
import { whileSampling } from './while-sampling';

/** Enough to keep every server connection of the pool busy. */
const clients = 64;
const runsAtRate = 3;
const warmUpSeconds = 1;
const lagSampledEveryMs = 500;
/** The guide's rates. */
const guideReadsPerSecond = 10_000;
const guideWritesPerSecond = 1000;

interface RateRun {
  readonly latenciesMs: readonly number[];
  readonly limited: boolean;
  readonly aborted?: string;
}

/** What a load cost an instance. */
interface Cost {
  readonly instance: RunningInstance;
  readonly cpuMsPerTransaction: number;
}

/** A barber's day through the pooler: first as fast as it goes, then at half of that, where people wait least. */
export async function measureIndexedQuery(bench: Bench): Promise<{ readonly check: Check; readonly latencies: LatencyComparison }> {
  const options = { script: 'read', clients, protocol: 'prepared' } as const;
  const capacity = await load(bench, bench.connections.readWrite, { ...options, length: { seconds: Math.ceil(bench.loadSeconds / 2) } });
  const rate = capacity.transactionsPerSecond / 2;
  const runs: RateRun[] = [];
  const directRuns: RateRun[] = [];
  // In transactions, not seconds: pgbench's clock runs during its logins, and those at the database itself take long.
  const perClientAndSecond = rate / clients;
  const length = { transactionsPerClient: Math.ceil(perClientAndSecond * (warmUpSeconds + Math.ceil(bench.loadSeconds / runsAtRate))) };
  const atRate = { ...options, length, rate, latencies: { afterTransactions: Math.floor(perClientAndSecond * warmUpSeconds) } } as const;
  for (let run = 0; run < runsAtRate; run++) {
    runs.push(await load(bench, bench.connections.readWrite, atRate));
    directRuns.push(await load(bench, bench.connections.direct, atRate));
  }
  const latenciesOf = (these: readonly RateRun[]) => these.map(({ latenciesMs }) => latenciesMs);
  const of = (these: readonly RateRun[], percent: number): number => medianPercentile(latenciesOf(these), percent);
  const [p95, directP95] = [of(runs, 95), of(directRuns, 95)];
  const saturated = runs.filter((run) => run.limited).length > runsAtRate / 2;
  // What this machine cannot do without the tier says nothing of the tier.
  const limited = saturated || directP95 >= findMetric('indexed-query-p95').target;
  const check = checkOf(
    'indexed-query-p95',
    p95,
    { limited, aborted: [capacity, ...runs].find((run) => run.aborted !== undefined)?.aborted },
    `median of ${runsAtRate} runs at ${rate.toFixed(0)}/s; p50 ${of(runs, 50).toFixed(2)} ms, p99 ${of(runs, 99).toFixed(1)} ms; the same load directly at the primary: p50 ${of(directRuns, 50).toFixed(2)} ms, p95 ${directP95.toFixed(1)} ms, p99 ${of(directRuns, 99).toFixed(1)} ms`,
  );
  return {
    check: { ...check, direct: { measured: directP95 } },
    latencies: {
      name: 'indexed-query',
      title: `Indexed query at half of the measured capacity, ${rate.toFixed(0)}/s`,
      targetMs: findMetric('indexed-query-p95').target,
      curves: [latencyCurve('through the pooler', latenciesOf(runs)), latencyCurve('directly at the primary', latenciesOf(directRuns))],
    },
  };
}

/** Reads on the replicas and writes on the primary, and what they cost. */
export async function measureThroughput(bench: Bench): Promise<readonly Check[]> {
  const { primary, replicas } = bench.tier.databases;

  const replicaCpu = await cpuOf(replicas);
  const reads = await load(bench, bench.connections.readOnly, { script: 'read', clients, protocol: 'prepared', length: { seconds: bench.loadSeconds } });
  const readCost: Cost = { instance: replicas[0]!, cpuMsPerTransaction: ((await cpuOf(replicas)) - replicaCpu) * 1000 / reads.transactions };

  const primaryCpu = await cpuOf([primary]);
  const { result: writes, longestLagSeconds } = await whileWatchingLag(replicas, () =>
    load(bench, bench.connections.readWrite, { script: 'write', clients, protocol: 'prepared', length: { seconds: bench.loadSeconds } }),
  );
  const writeCost: Cost = { instance: primary, cpuMsPerTransaction: ((await cpuOf([primary])) - primaryCpu) * 1000 / writes.transactions };

  return [
    { ...checkOf('read-queries', reads.transactionsPerSecond, reads), direct: await directly(bench, 'read') },
    { ...checkOf('write-transactions', writes.transactionsPerSecond, writes), direct: await directly(bench, 'write') },
    await measureTogether(bench),
    checkOf('replica-lag', longestLagSeconds, writes),
    databaseCpu(readCost, writeCost, replicas.length, await usesHugePages(primary)),
  ];
}

/** The same load with all of its clients at the primary, as before the tier. */
async function directly(bench: Bench, script: 'read' | 'write'): Promise<DirectFigure> {
  return { measured: (await load(bench, bench.connections.direct, shortly(bench, script))).transactionsPerSecond };
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

/** CPU of the template's instances at the guide's rates, from what a transaction cost a core of this machine. */
function databaseCpu(read: Cost, write: Cost, replicaCount: number, hugePages: boolean): Check {
  const usage = ({ instance, cpuMsPerTransaction }: Cost, rate: number) => {
    const vCpus = instanceVCpus(instance.instanceClass);
    const percent = (cpuMsPerTransaction * rate) / 10 / vCpus;
    return { percent, text: `${instance.identifier}: ${cpuMsPerTransaction.toFixed(3)} ms × ${rate}/s ÷ ${vCpus} vCPUs = ${percent.toFixed(0)} %` };
  };
  const usages = [usage(write, guideWritesPerSecond), usage(read, guideReadsPerSecond / replicaCount)];
  const busiest = Math.max(...usages.map(({ percent }) => percent));
  const assumption = hugePages
    ? 'taking a vCPU for a core of this machine'
    : 'taking a vCPU for a core of this machine, whose sessions pay for page faults that they do not have on RDS: it has no huge pages (see vm.nr_hugepages)';
  return checkOf('database-cpu', busiest, { extrapolated: true, limited: !hugePages }, `${usages.map(({ text }) => text).join('; ')}, ${assumption}`);
}

/** RDS keeps shared buffers in huge pages; without, every session maps each 4 kB page of them anew. */
async function usesHugePages({ server }: RunningInstance): Promise<boolean> {
  const [row] = await server.query<{ huge_pages_status: string }>('SHOW huge_pages_status');
  return row?.huge_pages_status === 'on';
}

async function cpuOf(instances: readonly RunningInstance[]): Promise<number> {
  const each = await Promise.all(instances.map(({ server }) => server.cpuSeconds()));
  return each.reduce((sum, cpu) => sum + cpu, 0);
}

/**
 * The longest delay of replay on any replica meanwhile: the age of the last transaction that it has replayed, as long
 * as it has received more. https://www.postgresql.org/docs/17/functions-admin.html#FUNCTIONS-RECOVERY-CONTROL
 */
async function whileWatchingLag<Result>(replicas: readonly RunningInstance[], work: () => Promise<Result>): Promise<{ readonly result: Result; readonly longestLagSeconds: number }> {
  const sessions = await Promise.all(replicas.map(({ server }) => server.superuser()));
  let longestLagSeconds = 0;
  try {
    const sample = async (): Promise<void> => {
      for (const session of sessions) {
        const { rows } = await session.query<{ lag: number }>(
          `SELECT CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
                       ELSE coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 0) END::float8 AS lag`,
        );
        longestLagSeconds = Math.max(longestLagSeconds, rows[0]!.lag);
      }
    };
    const result = await whileSampling(lagSampledEveryMs, sample, work);
    return { result, longestLagSeconds };
  } finally {
    await Promise.all(sessions.map((session) => session.end()));
  }
}
