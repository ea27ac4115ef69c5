import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { commandLine } from '../bin/command-line';
import { bringUp } from '../lib/rehearsal/bring-up';
import { openFileLimit } from '../lib/rehearsal/engines/open-file-limit';
import { percentile } from '../lib/rehearsal/load/percentile';
import { Progress } from '../lib/rehearsal/report/progress';
import { finishIndexBuilds } from '../lib/rehearsal/scorecard/indexes';
import { Teardown } from '../lib/rehearsal/teardown';
import { giveDatabasesTheirCores } from './own-cores';
import { explainDisturbance, isDisturbed, whileWatchingOthers } from './other-programs';
import { reportPooler } from './pooler-report';
import { measureRun, type PoolerBench, type Run } from './pooler-run';
import { sameConditions, writeOpensslSettings } from './same-conditions';
import { wholeNumber } from './whole-number';

const exitCodes = { reached: 0, missed: 1, couldNotRun: 2, interrupted: 130 } as const;

const options = commandLine('bench:pooler')
  .description(
    'Compares the pooler of the production template with the database itself: same role, same iterations, same TLS, one after the other in each run. ' +
      'One task without the balancer is measured, which is a process of PgBouncer. The databases have half of the cores for themselves, as they have ' +
      'machines of their own in production; clients and pooler share the others.',
  )
  .option('--runs <count>', 'the figures are medians over them, with the least and the most', wholeNumber, 5)
  .option('--transactions <count>', 'of each of the 100 clients in a throughput measurement', wholeNumber, 300)
  .option('--rows <count>', 'appointments in the sample', wholeNumber, 100_000)
  .option('--sessions <count>', 'sessions of the large measurements', wholeNumber, 10_000)
  .addHelpText('after', '\nExit codes: 0 every goal reached, 1 one missed, or unclear because other programs ran, 2 it could not run, 130 interrupted.')
  .parse()
  .opts<{ runs: number; transactions: number; rows: number; sessions: number }>();

/** Files that the pooler and pgbench have open besides a socket for each session. */
const otherOpenFiles = 500;

const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupt.abort());

async function main(progress: Progress, teardown: Teardown): Promise<number> {
  const { runs: runCount, rows, sessions, transactions } = options;
  const mostSessions = (await openFileLimit()) - otherOpenFiles;
  if (sessions > mostSessions) throw new Error(`${sessions} sessions need as many open files, and here is room for ${mostSessions}; raise ulimit -n, or lower --sessions`);
  const { signal } = interrupt;
  const running = await bringUp({ environment: 'production', rows, maxSessions: sessions + 1000, progress, signal }, teardown);
  const directory = await mkdtemp(join(tmpdir(), 'bench-pooler-'));
  teardown.defer('the directory of the bench', () => rm(directory, { recursive: true }));
  const opensslSettingsFile = join(directory, 'openssl.cnf');
  await writeOpensslSettings(opensslSettingsFile);
  const bench: PoolerBench = { ...running, rows, sessions, transactions, opensslSettingsFile, signal, onProgress: (what) => progress.update(what) };
  progress.begin('Index builds');
  await finishIndexBuilds({ ...bench, loadSeconds: 0 });
  const conditions = `${await sameConditions(bench)}; ${await giveDatabasesTheirCores(bench.tier)}`;

  const runs: Run[] = [];
  const othersPercents: number[] = [];
  for (let run = 1; run <= runCount; run++) {
    progress.begin(`Run ${run} of ${runCount}`);
    const { result, othersPercent } = await whileWatchingOthers(() => measureRun(bench, run % 2 === 1 ? ['direct', 'pooled'] : ['pooled', 'direct']));
    progress.succeed(`${(result['prepared pooled /s'] / result['prepared direct /s']).toFixed(2)} of the direct throughput, ${result['login pooled ms'].toFixed(1)} ms for a login, other programs took ${othersPercent.toFixed(0)} %`);
    runs.push(result);
    othersPercents.push(othersPercent);
  }
  const othersPercent = percentile(othersPercents, 50);
  const disturbed = isDisturbed(othersPercent);
  const { text, allReached } = reportPooler(runs, sessions, disturbed);
  process.stdout.write(`${text}\nMedian over ${runCount} runs (least–most); the side that goes first takes turns. ${conditions}.\n`);
  if (disturbed) process.stdout.write(`${explainDisturbance(othersPercent)}\n`);
  return allReached ? exitCodes.reached : exitCodes.missed;
}

void (async () => {
  const progress = new Progress();
  const teardown = new Teardown();
  try {
    process.exitCode = await main(progress, teardown);
  } catch (error) {
    progress.fail();
    if (!interrupt.signal.aborted) process.stderr.write(`the bench could not run: ${(error as Error).message}\n`);
    process.exitCode = interrupt.signal.aborted ? exitCodes.interrupted : exitCodes.couldNotRun;
  } finally {
    for (const failure of await teardown.run()) process.stderr.write(`${failure.message}\n`);
  }
})();
