import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import Table from 'cli-table3';
import { Command } from 'commander';

import { readEnvironment } from '../lib/assembly/environment-assembly';
import { Connections } from '../lib/rehearsal/connections';
import { untilListening } from '../lib/rehearsal/deployment/pooler-task';
import { TierUnderRehearsal } from '../lib/rehearsal/deployment/tier-under-rehearsal';
import { Child } from '../lib/rehearsal/engines/child';
import { debianTools } from '../lib/rehearsal/engines/debian-tools';
import { unprivilegedUid } from '../lib/rehearsal/engines/unprivileged-user';
import { percentile } from '../lib/rehearsal/load/percentile';
import { type LoadOptions, type LoadTarget, runLoad } from '../lib/rehearsal/load/pgbench';
import { loadSample } from '../lib/rehearsal/load/sample';
import { countSessions, reuseBetween } from '../lib/rehearsal/scorecard/connection-reuse';
import { openSite } from '../lib/rehearsal/site';
import { synthesize } from '../lib/rehearsal/synthesize';
import { Teardown } from '../lib/rehearsal/teardown';
import { wholeNumber } from './whole-number';

const options = new Command('npm run bench:pooler --')
  .description(
    "Compares the pooler of the production template with the database itself: same role, same iterations, same TLS, one after the other in each run.\n" +
      'One task without the balancer is measured, which is a process of PgBouncer.',
  )
  .option('--runs <count>', 'the figures are medians over them', wholeNumber, 5)
  .option('--transactions <count>', 'of each of the 100 clients in a throughput measurement', wholeNumber, 300)
  .option('--rows <count>', 'appointments in the sample', wholeNumber, 100_000)
  .option('--sessions <count>', 'sessions of the large measurements', wholeNumber, 10_000)
  .parse()
  .opts<{ runs: number; transactions: number; rows: number; sessions: number }>();

const clients = 100;
const logins = 100;
const queriesPerSession = 8;
/** pgbench looks at every connection of a thread to find one that is ready: with few threads it would be what is measured. */
const clientThreads = 20;
const thinkingQueriesPerSecond = 1000;
const thinkingSeconds = 10;
const memoryClients = 4000;
const protocols = ['simple', 'extended', 'prepared'] as const;

/** Figures of one run, by name. */
type Run = Readonly<Record<string, number>>;

const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupt.abort());
const say = (what: string): void => void process.stderr.write(`${what}\n`);

async function main(): Promise<void> {
  const teardown = new Teardown();
  try {
    const site = await openSite(teardown);
    const assembly = join(site.directory, 'assembly');
    say('synthesizing and bringing production up');
    await synthesize('production', assembly, interrupt.signal);
    const tier = new TierUnderRehearsal(site, { maxSessions: options.sessions + 1000, signal: interrupt.signal, onProgress: () => undefined });
    await tier.deploy(readEnvironment(assembly, 'production'));
    const connections = new Connections(tier);
    await loadSample(() => connections.migrations(), options.rows, () => undefined);
    await tier.functions.callScheduled();
    const runs: Run[] = [];
    for (let run = 1; run <= options.runs; run++) {
      say(`run ${run} of ${options.runs}`);
      runs.push(await measure(tier, connections));
    }
    process.exitCode = report(runs, await memoryPerThousandClients(tier, connections)) ? 0 : 1;
  } finally {
    for (const failure of await teardown.run()) say(failure.message);
  }
}

async function measure(tier: TierUnderRehearsal, connections: Connections): Promise<Run> {
  const [task] = tier.pooler.tasks;
  const { direct } = connections;
  const pooled: LoadTarget = { ...connections.readWrite, addresses: [task!.address] };
  const load = (target: LoadTarget, load: Omit<LoadOptions, 'signal'>) => runLoad(target, options.rows, { ...load, signal: interrupt.signal });
  const figures: Record<string, number> = {};

  for (const protocol of protocols) {
    for (const [name, target] of [['direct', direct], ['pooled', pooled]] as const) {
      const { transactionsPerSecond, latenciesMs } = await load(target, { script: 'read', clients, protocol, length: { transactionsPerClient: options.transactions }, latencies: { afterTransactions: Math.floor(options.transactions / 6) } });
      figures[`${protocol} ${name} /s`] = transactionsPerSecond;
      figures[`${protocol} ${name} p50`] = percentile(latenciesMs, 50);
      figures[`${protocol} ${name} p99`] = percentile(latenciesMs, 99);
    }
  }
  for (const [name, target] of [['direct', direct], ['pooled', pooled]] as const) {
    const { transactionsPerSecond } = await load(target, { script: 'login', clients: 1, protocol: 'simple', reconnect: true, length: { transactionsPerClient: logins } });
    figures[`login ${name}`] = 1000 / transactionsPerSecond;
  }
  const before = await countSessions({ tier, connections });
  for (const [name, count] of [['few', clients], ['many', options.sessions]] as const) {
    const length = { transactionsPerClient: (options.sessions / count) * queriesPerSession };
    const { transactionsPerSecond } = await load(pooled, { script: 'read', clients: count, threads: clientThreads, protocol: 'simple', length });
    figures[`${name} /s`] = transactionsPerSecond;
  }
  const { latenciesMs } = await load(pooled, { script: 'read', clients: options.sessions, threads: clientThreads, protocol: 'simple', length: { transactionsPerClient: Math.ceil((thinkingSeconds * thinkingQueriesPerSecond) / options.sessions) }, rate: thinkingQueriesPerSecond, latencies: { afterTransactions: 0 } });
  figures['thinking p50'] = percentile(latenciesMs, 50);
  figures['thinking p99'] = percentile(latenciesMs, 99);
  const after = await countSessions({ tier, connections });
  figures.reuse = reuseBetween(before, after).percent;
  return figures;
}

/** Memory that clients take in a fresh process, with TLS as in the template, and without. */
async function memoryPerThousandClients(tier: TierUnderRehearsal, connections: Connections): Promise<Run> {
  const memory: Record<string, number> = {};
  for (const tls of [true, false]) {
    const { address, pid } = await startAnother(tier, tls);
    const target: LoadTarget = { ...connections.readWrite, addresses: [address], tls };
    const idle = await residentMiB(pid);
    let most = idle;
    const sampling = setInterval(() => void residentMiB(pid).then((mib) => (most = Math.max(most, mib))), 200);
    const rate = memoryClients / 4;
    await runLoad(target, options.rows, { script: 'read', clients: memoryClients, threads: clientThreads, protocol: 'simple', rate, length: { transactionsPerClient: 1 }, signal: interrupt.signal });
    clearInterval(sampling);
    memory[tls ? 'memory with TLS' : 'memory without TLS'] = (most - idle) / (memoryClients / 1000);
  }
  return memory;
}

/** A process with the settings of a task, on an address of its own. */
async function startAnother(tier: TierUnderRehearsal, tls: boolean): Promise<{ readonly address: string; readonly pid: number }> {
  const { port } = tier.pooler.tasks[0]!;
  const directory = join(tier.site.directory, 'task-1', 'run');
  const address = tier.site.addresses.next();
  const settings = await readFile(join(directory, 'pgbouncer.ini'), 'utf8');
  const path = join(directory, `${address}.ini`);
  const own = settings.replace(/^listen_addr = .*$/m, `listen_addr = ${address}`).replace(/^unix_socket_dir = .*$/m, 'unix_socket_dir =');
  await writeFile(path, tls ? own : own.replace(/^client_tls_.*$/gm, ''), { mode: 0o644 });
  const { pgbouncer } = await debianTools();
  const process = new Child({ name: `pooler ${address}`, command: pgbouncer.command, args: [...pgbouncer.args, path], uid: unprivilegedUid });
  tier.site.teardown.defer(`pooler ${address}`, () => process.stop('SIGKILL'));
  await untilListening(process, address, port);
  return { address, pid: process.pid };
}

/** https://man7.org/linux/man-pages/man5/proc_pid_status.5.html */
async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024;
}

/** Prints the figures and the goals; false if one was not reached. */
function report(runs: readonly Run[], memory: Run): boolean {
  const median = (figure: string): number => percentile(runs.map((run) => run[figure]!), 50);
  const spread = (figure: string): string => `${Math.min(...runs.map((run) => run[figure]!)).toFixed(2)}–${Math.max(...runs.map((run) => run[figure]!)).toFixed(2)}`;
  const table = new Table({ head: [`${clients} clients, one task`, 'direct, /s', 'pooled, /s', 'p50, ms', 'p99, ms'], style: { head: [], border: [] } });
  for (const protocol of protocols) {
    const pair = (figure: string): string => `${median(`${protocol} direct ${figure}`).toFixed(1)} → ${median(`${protocol} pooled ${figure}`).toFixed(1)}`;
    table.push([protocol, median(`${protocol} direct /s`).toFixed(0), median(`${protocol} pooled /s`).toFixed(0), pair('p50'), pair('p99')]);
  }
  process.stdout.write(`${table.toString()}\n`);
  process.stdout.write(`connect, login and SELECT 1: ${median('login direct').toFixed(1)} ms direct, ${median('login pooled').toFixed(1)} ms pooled (${spread('login pooled')})\n`);
  process.stdout.write(`${options.sessions} sessions that query now and then, ${thinkingQueriesPerSecond}/s together: p50 ${median('thinking p50').toFixed(1)} ms, p99 ${median('thinking p99').toFixed(1)} ms\n`);
  process.stdout.write(`1,000 clients take ${memory['memory with TLS']!.toFixed(1)} MiB with TLS, ${memory['memory without TLS']!.toFixed(1)} MiB without\n\nMedians over ${options.runs} runs.\n`);
  const ratio = (above: string, below: string): number => percentile(runs.map((run) => run[above]! / run[below]!), 50);
  const goals: readonly { readonly what: string; readonly measured: number; readonly least?: number; readonly most?: number }[] = [
    ...protocols.map((protocol) => ({ what: `throughput pooled ÷ direct, ${protocol}`, measured: ratio(`${protocol} pooled /s`, `${protocol} direct /s`), least: 1 })),
    { what: 'login pooled ÷ direct', measured: ratio('login pooled', 'login direct'), most: 0.3 },
    { what: 'login pooled, ms', measured: median('login pooled'), most: 5 },
    { what: `throughput of ${options.sessions} sessions ÷ of ${clients}`, measured: ratio('many /s', 'few /s'), least: 0.85 },
    { what: 'MiB per 1,000 clients without TLS', measured: memory['memory without TLS']!, most: 10 },
    { what: 'connection reuse, %', measured: median('reuse'), least: 99.9 },
  ];
  const reached = ({ measured, least = -Infinity, most = Infinity }: (typeof goals)[number]): boolean => measured >= least && measured <= most;
  for (const goal of goals) {
    const limit = goal.least === undefined ? `at most ${goal.most}` : `at least ${goal.least}`;
    process.stdout.write(`${reached(goal) ? 'reached' : 'missed '}  ${goal.what}: ${Number(goal.measured.toPrecision(4))} (${limit})\n`);
  }
  return goals.every(reached);
}

void main();
