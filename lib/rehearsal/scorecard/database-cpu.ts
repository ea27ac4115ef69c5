import type { RunningInstance } from '../deployment/databases';
import type { Check } from '../report/report';
import { checkOf } from './bench';
import { instanceVCpus } from './instance-vcpus';

/** The guide's rates. */
const guideReadsPerSecond = 10_000;
const guideWritesPerSecond = 1000;

/** CPU that a transaction of each kind costs, in ms of a core of this machine. */
export interface TransactionCosts {
  readonly readCpuMs: number;
  readonly writeCpuMs: number;
}

/** CPU of the template's instances at the guide's rates, from what a transaction cost here; without the tier the primary has all of it. */
export async function checkDatabaseCpu(primary: RunningInstance, replicas: readonly RunningInstance[], pooled: TransactionCosts, direct: TransactionCosts): Promise<Check> {
  const writes = { cpuMs: pooled.writeCpuMs, rate: guideWritesPerSecond };
  const reads = { cpuMs: pooled.readCpuMs, rate: guideReadsPerSecond / Math.max(1, replicas.length) };
  const usages = [usageOf(primary, [writes]), usageOf(replicas[0] ?? primary, [reads])];
  const alone = usageOf(primary, [
    { cpuMs: direct.writeCpuMs, rate: guideWritesPerSecond },
    { cpuMs: direct.readCpuMs, rate: guideReadsPerSecond },
  ]);
  const hugePages = await usesHugePages(primary);
  const assumption = hugePages
    ? 'taking a vCPU for a core of this machine'
    : 'taking a vCPU for a core of this machine, whose sessions pay for page faults that they do not have on RDS: it has no huge pages (see vm.nr_hugepages)';
  const busiest = Math.max(...usages.map(({ percent }) => percent));
  const check = checkOf('database-cpu', busiest, { extrapolated: true, limited: !hugePages }, `${usages.map(({ text }) => text).join('; ')}, ${assumption}`);
  return { ...check, direct: { measured: alone.percent, detail: `reads and writes on one instance; ${alone.text}` } };
}

/** What a transaction cost these instances meanwhile, all of them together. */
export async function whileWatchingCost<Result extends { readonly transactions: number }>(instances: readonly RunningInstance[], work: () => Promise<Result>): Promise<{ readonly result: Result; readonly cpuMs: number }> {
  const before = await cpuSecondsOf(instances);
  const result = await work();
  return { result, cpuMs: (((await cpuSecondsOf(instances)) - before) * 1000) / result.transactions };
}

function usageOf({ instanceClass, identifier }: RunningInstance, loads: readonly { readonly cpuMs: number; readonly rate: number }[]): { readonly percent: number; readonly text: string } {
  const vCpus = instanceVCpus(instanceClass);
  const percent = loads.reduce((sum, { cpuMs, rate }) => sum + (cpuMs * rate) / 10 / vCpus, 0);
  const terms = loads.map(({ cpuMs, rate }) => `${cpuMs.toFixed(3)} ms × ${rate}/s`).join(' + ');
  return { percent, text: `${identifier}: ${loads.length > 1 ? `(${terms})` : terms} ÷ ${vCpus} vCPUs = ${percent.toFixed(0)} %` };
}

/** RDS keeps shared buffers in huge pages; without, every session maps each 4 kB page of them anew. */
async function usesHugePages({ server }: RunningInstance): Promise<boolean> {
  const [row] = await server.query<{ huge_pages_status: string }>('SHOW huge_pages_status');
  return row?.huge_pages_status === 'on';
}

async function cpuSecondsOf(instances: readonly RunningInstance[]): Promise<number> {
  const each = await Promise.all(instances.map(({ server }) => server.cpuSeconds()));
  return each.reduce((sum, cpu) => sum + cpu, 0);
}
