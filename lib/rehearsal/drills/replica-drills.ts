import type { TierUnderRehearsal } from '../deployment/tier-under-rehearsal';
import { metricValues } from '../scorecard/collector';
import type { Drill, DrillScene } from './drill';
import { connectTo } from './pooler-console';
import { missingIds } from './ledger-table';

const stoppedSeconds = 3;
const laggingSeconds = 3;
const readers = { clients: 12, pauseMs: 50 };

export const replicaStopped: Drill = {
  name: 'replica-stopped',
  title: 'Read replica stopped',
  expectations: { errors: 0, longestSilenceSeconds: 3 },
  figures: [
    { name: 'reader-errors', title: "errors of any reader with the kit's retry", unit: '', limit: { comparison: '≤', value: 1 } },
    { name: 'reader-recovery', title: 'until every reader reads again', unit: 's', limit: { comparison: '≤', value: 2 } },
  ],
  why: 'the primary does not wait for a read replica; reads come back as soon as the pooler, which tries every second, gets in again',
  lacks: noReplica,
  async run(scene) {
    const { tier, mark, measure, wait } = scene;
    const reading = startReaders(scene);
    await wait(1);
    const { server } = tier.databases.replicas[0]!;
    mark('fault', 'the replica shuts down');
    await server.halt('fast');
    await wait(stoppedSeconds);
    await server.launch();
    mark('repair', 'the replica is back');
    const recoverySeconds = await reading.recovered();
    if (recoverySeconds !== null) measure('reader-recovery', recoverySeconds);
    measure('reader-errors', reading.ledger.mostVisibleErrorsOfAClient);
  },
};

export const replicaLagging: Drill = {
  name: 'replica-lagging',
  title: 'Read replica lags',
  expectations: { errors: 0, longestSilenceSeconds: 5 },
  figures: [
    { name: 'reader-errors', title: 'errors of readers', unit: '', limit: { comparison: '=', value: 0 } },
    { name: 'not-shown', title: 'acknowledged writes that it did not show yet', unit: '' },
    { name: 'lag-seen', title: 'lag in the metrics', unit: 's', limit: { comparison: '≥', value: laggingSeconds } },
    { name: 'caught-up', title: 'in step again after', unit: 's', limit: { comparison: '≤', value: 5 } },
  ],
  why: 'reads go on and show the past: who must read what was just written reads from the primary. The collector tells how far behind it is',
  lacks: noReplica,
  async run(scene) {
    const { tier, connections, mark, measure, wait, ledger, defer } = scene;
    const reading = startReaders(scene);
    const { server } = tier.databases.replicas[0]!;
    await server.query('SELECT pg_wal_replay_pause()');
    defer('replay', async () => {
      await server.query('SELECT pg_wal_replay_resume()');
    });
    mark('fault', 'replay pauses');
    await wait(laggingSeconds);
    measure('not-shown', (await missingIds(server, connections.direct.database, [...ledger.acknowledged.keys()])).length);
    const { functionLog } = tier.site;
    const from = functionLog.length;
    await tier.functions.callScheduled();
    measure('lag-seen', Math.max(0, ...metricValues(functionLog.slice(from), 'ReplicationDelay')));
    await server.query('SELECT pg_wal_replay_resume()');
    mark('repair', 'replay goes on');
    const resumedAt = ledger.seconds;
    await server.waitForReplay();
    measure('caught-up', ledger.seconds - resumedAt);
    measure('reader-errors', reading.ledger.errors.length);
  },
};

export const replicaPromoted: Drill = {
  name: 'replica-promoted',
  title: 'Read replica promoted',
  expectations: { errors: 0, longestSilenceSeconds: 5 },
  figures: [
    { name: 'loss', title: 'acknowledged writes that it does not have', unit: '' },
    { name: 'loss-before', title: 'of those, from before it lagged', unit: '', limit: { comparison: '=', value: 0 } },
    { name: 'lag', title: 'lag when promoted', unit: 's' },
    { name: 'writes', title: 'writes that it takes by the read-only alias', unit: '', limit: { comparison: '=', value: 1 } },
  ],
  why: 'no commit waits for a read replica: what it has not received when it is promoted is lost to whoever goes on with it, while the primary still has it. Its name stays, so the read-only alias reaches it, and it takes writes',
  breaksTheTier: true,
  lacks: noReplica,
  async run(scene) {
    const { tier, connections, mark, measure, wait, ledger } = scene;
    const { server } = tier.databases.replicas[0]!;
    const before = [...ledger.acknowledged.keys()];
    await server.waitForReplay();
    await server.query("ALTER SYSTEM SET primary_conninfo = ''");
    await server.query('SELECT pg_reload_conf()');
    const cutAt = ledger.seconds;
    mark('fault', 'the replica no longer hears the primary');
    await wait(laggingSeconds);
    const acknowledged = [...ledger.acknowledged.keys()];
    measure('lag', ledger.seconds - cutAt);
    await server.promote();
    mark('repair', 'the replica is promoted');
    const { database } = connections.direct;
    measure('loss', (await missingIds(server, database, acknowledged)).length);
    measure('loss-before', (await missingIds(server, database, before)).length);
    const session = await connectTo(connections.readOnly);
    try {
      measure('writes', (await session.query('INSERT INTO drill_ledger (id) VALUES (-1)')).rowCount ?? 0);
    } finally {
      await session.end();
    }
  },
};

/** Clients that read behind the read-only alias until the end of the drill. */
export function startReaders({ connections, startClients }: DrillScene) {
  const statements = () => [{ text: 'SELECT count(*) FROM appointments WHERE barber_id = 1', values: [] }];
  return startClients({ target: connections.readOnly, ...readers, statements });
}

function noReplica({ databases }: TierUnderRehearsal): string | undefined {
  return databases.replicas.length > 0 ? undefined : 'it has no read replica';
}
