import { indexesResourceType } from '../../tier/indexes/indexes.contract';
import type { Drill, DrillScene } from './drill';

const killedIndex = 'idx_drill_killed';
const blockedIndex = 'idx_drill_blocked';
const longestBuildSeconds = 60;
const blockedSeconds = 4;

export const indexBuildKilled: Drill = {
  name: 'index-build-killed',
  title: 'Index build killed half-way',
  expectations: { errors: 0, longestSilenceSeconds: 5 },
  figures: [
    { name: 'left-invalid', title: 'INVALID indexes left', unit: '', limit: { comparison: '=', value: 1 } },
    { name: 'valid', title: 'VALID after the schedule has looked again', unit: '', limit: { comparison: '=', value: 1 } },
  ],
  why: 'a build belongs to the server; what a killed one leaves is told, removed and built again by the function that looks every five minutes, which is called here at once',
  async run(scene) {
    const { tier, mark, measure, wait } = scene;
    const { server } = tier.databases.primary;
    const endOther = await openTransaction(scene);
    await tier.functions.updateCustomResource(indexesResourceType, { [killedIndex]: `CREATE INDEX ${killedIndex} ON public.appointments (duration_minutes, id)` });
    const pid = await builderPid(scene);
    mark('note', 'a deploy adds an index; its build is half-way and waits for a transaction');
    await server.query('SELECT pg_terminate_backend($1, 5000)', [pid]);
    mark('fault', 'the build is killed');
    measure('left-invalid', await countIndex(scene, killedIndex, false));
    await endOther();
    await wait(0.5);
    for (let waited = 0; waited < longestBuildSeconds && (await countIndex(scene, killedIndex, true)) === 0; waited++) {
      await tier.functions.callScheduled();
      await wait(1);
    }
    mark('repair', 'the schedule has looked again');
    measure('valid', await countIndex(scene, killedIndex, true));
  },
};

export const indexBuildBlocked: Drill = {
  name: 'index-build-blocked',
  title: 'Long transaction keeps an index build waiting',
  expectations: { errors: 0, longestSilenceSeconds: 5 },
  figures: [
    { name: 'reported', title: 'reports that name the transaction', unit: '', limit: { comparison: '≥', value: 1 } },
    { name: 'valid-after', title: 'VALID after the transaction has ended', unit: 's', limit: { comparison: '≤', value: 10 } },
  ],
  why: 'a concurrent build waits for every older transaction, and takes no lock that a writer would wait for; the log says for whom it waits and how to end that',
  async run(scene) {
    const { tier, mark, measure, wait, ledger } = scene;
    const { functionLog } = tier.site;
    const endOther = await openTransaction(scene);
    mark('fault', 'a transaction wrote and stays open');
    const from = functionLog.length;
    await tier.functions.updateCustomResource(indexesResourceType, { [blockedIndex]: `CREATE INDEX ${blockedIndex} ON public.appointments (created_at, id)` });
    await builderPid(scene);
    const looking = tier.functions.callScheduled();
    looking.catch(() => undefined); // awaited below
    await wait(blockedSeconds);
    while (reports(functionLog.slice(from)) === 0 && ledger.seconds < longestBuildSeconds) await wait(0.2);
    measure('reported', reports(functionLog.slice(from)));
    await endOther();
    mark('repair', 'the transaction ends');
    const endedAt = ledger.seconds;
    while ((await countIndex(scene, blockedIndex, true)) === 0) {
      if (ledger.seconds - endedAt > longestBuildSeconds) return; // not measured: not as expected
      await wait(0.1);
    }
    measure('valid-after', ledger.seconds - endedAt);
    await looking;
  },
};

/** A transaction that wrote to the table of the index, and goes on. @returns ends it */
async function openTransaction({ connections, defer }: DrillScene): Promise<() => Promise<void>> {
  const session = await connections.migrations();
  defer('the open transaction', () => session.end());
  await session.query('BEGIN');
  await session.query("UPDATE appointments SET status = status WHERE id = (SELECT min(id) FROM appointments)");
  return async () => {
    await session.query('COMMIT');
  };
}

async function builderPid({ tier, wait, ledger }: DrillScene): Promise<number> {
  const { server } = tier.databases.primary;
  const startedAt = ledger.seconds;
  for (;;) {
    const [row] = await server.query<{ pid: number }>("SELECT pid FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting for %'");
    if (row) return row.pid;
    if (ledger.seconds - startedAt > longestBuildSeconds) throw new Error(`no index build has begun to wait within ${longestBuildSeconds} s`);
    await wait(0.05);
  }
}

async function countIndex({ tier, connections }: DrillScene, name: string, valid: boolean): Promise<number> {
  const sql = 'SELECT count(*)::int AS count FROM pg_index WHERE indexrelid = to_regclass($1) AND indisvalid = $2';
  const [row] = await tier.databases.primary.server.query<{ count: number }>(sql, [`public.${name}`, valid], connections.direct.database);
  return row!.count;
}

/** Lines that say for whom a build waits. */
function reports(log: readonly string[]): number {
  return log.filter((line) => line.includes('build waits') && line.includes(blockedIndex) && line.includes('writers are not blocked')).length;
}
