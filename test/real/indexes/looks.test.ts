import type { Client } from 'pg';

import { readWaits } from '../../../lib/tier/indexes/build-waits';
import { isPassing } from '../../../lib/tier/indexes/passing-errors';
import { index, IndexDatabase, inTime } from './index-database';

let database: IndexDatabase;

beforeAll(async () => {
  database = await IndexDatabase.start('127.34.8.1', { max_prepared_transactions: '2' });
});
afterAll(() => database?.stop());
beforeEach(() => database.begin());

describe('a look', () => {
  it('tells who keeps a build waiting, whom it keeps waiting, and how far it is', async () => {
    await database.session.query('CREATE TABLE t AS SELECT n AS a FROM generate_series(1, 1000) AS n');
    const reader = await database.oldSnapshot();
    await reader.query("SET application_name = 'nightly report'");
    const reconciler = database.reconciler([index()]);
    await reconciler.tick();
    const alter = await database.connect();
    const altered = alter.query('ALTER TABLE t ADD COLUMN b int').catch(() => undefined);
    // Told of is what has waited for a second.
    const waiting = async (pattern: string): Promise<boolean> => (await database.session.query("SELECT FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE datname = current_database() AND query LIKE $1 AND clock_timestamp() - waitstart > '1 s'", [pattern])).rowCount === 1;
    while (!(await waiting('ALTER TABLE%')) || !(await waiting('CREATE INDEX%'))) await new Promise((resolve) => setTimeout(resolve, 20));
    const summary = await database.reconciler([index()]).tick();
    expect(summary).toMatchObject({ waiting: ['i'], failed: [] });
    expect(database.happened('build waits').slice(-2)).toMatchObject([
      { index: 'i', direction: 'keeps waiting', state: 'active', advice: expect.stringMatching(/^i keeps pid \d+ .* waiting for \d+ s: DDL on the table/) },
      { index: 'i', direction: 'waits for', application: 'nightly report', advice: expect.stringMatching(/^i has waited \d+ s for pid \d+ \(nightly report, .*idle in transaction, transaction of \d+ s\); writers are not blocked/) },
    ]);
    const elsewhere = await database.server.superuser();
    expect(await readWaits(elsewhere)).toEqual([]);
    await elsewhere.end();
    await database.session.query('SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE $1', ['ALTER TABLE%']);
    await altered;
    await Promise.all([alter.end(), reader.end()]);
    expect(await reconciler.run(inTime())).toMatchObject({ valid: ['i'], failed: [] });
  });

  it('tells of a prepared transaction, which has no session, that keeps a build waiting', async () => {
    await database.session.query('CREATE TABLE t (a int)');
    await database.session.query("BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'it''s lost'");
    const reconciler = database.reconciler([index()]);
    await reconciler.tick();
    await database.builderIn(/waiting for writers before build/);
    const { waits } = await reconciler.tick();
    expect(waits).toEqual([expect.stringMatching(/^i has waited \d+ s for the prepared transaction it's lost \(rdsadmin, \d+ s old\); writers are not blocked; whoever prepared it must end it with COMMIT PREPARED or, if nobody does: ROLLBACK PREPARED 'it''s lost'$/)]);
    await database.session.query("ROLLBACK PREPARED 'it''s lost'");
    expect(await reconciler.run(inTime())).toMatchObject({ valid: ['i'], failed: [] });
  });

  it('goes on in a new session when the server of the old one does not answer any more', async () => {
    await database.session.query('CREATE TABLE t (a int)');
    const reader = await database.oldSnapshot();
    const connect = async () => {
      const client = await database.connect();
      await client.query("SET application_name = 'look'");
      return client;
    };
    const running = database.reconciler([index()], { connect, longestLookMs: 5000 }).run(inTime());
    await database.builderIn(/waiting for old snapshots/);
    const idle = async (): Promise<number | undefined> => (await database.session.query<{ pid: number }>("SELECT pid FROM pg_stat_activity WHERE application_name = 'look' AND state = 'idle'")).rows[0]?.pid;
    let stopped: number | undefined;
    while (stopped === undefined) {
      const pid = await idle();
      if (pid === undefined) continue;
      process.kill(pid, 'SIGSTOP');
      if ((await idle()) === pid) stopped = pid;
      else process.kill(pid, 'SIGCONT');
    }
    while (database.happened('look failed').length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await reader.end();
    expect(await running).toMatchObject({ valid: ['i'], failed: [] });
    expect(database.happened('look failed')).toEqual([{ event: 'look failed', problem: 'timeout expired: the database has not answered for 5 s, as after a failover' }]);
    process.kill(stopped, 'SIGCONT');
  });

  it('tells how far a build is', async () => {
    await database.session.query('CREATE TABLE t AS SELECT n AS a FROM generate_series(1, 1000) AS n');
    const reader = await database.oldSnapshot();
    await database.reconciler([index()]).tick();
    await database.builderIn(/waiting for old snapshots/);
    expect((await database.reconciler([index()]).tick()).progress).toEqual(['i: 99 %, waiting for old snapshots']);
    await reader.end();
  });

  it('gives up when the server does not answer any more, whichever it is, so that it can be begun anew', async () => {
    await database.session.query('CREATE TABLE t (a int)');
    const frozen: number[] = [];
    const freeze = <Session extends Client>(session: Session): Session => {
      const { processID: pid } = session as unknown as { readonly processID: number };
      process.kill(pid, 'SIGSTOP');
      frozen.push(pid);
      return session;
    };
    const atOnce = database.reconciler([index()], { connect: async () => freeze(await database.connect()), longestLookMs: 300 });
    const inTheMiddle = database.reconciler([index()], { isAccepted: (session) => Promise.resolve(Boolean(freeze(session))), longestLookMs: 300 });
    try {
      for (const look of [() => atOnce.validate(), () => atOnce.status(), () => atOnce.tick(), () => inTheMiddle.tick()]) {
        const error = await look().catch((refusal: Error) => refusal);
        expect(error).toEqual(new Error('timeout expired: the database has not answered for 0.3 s, as after a failover'));
        expect(isPassing(error as Error)).toBe(true);
      }
    } finally {
      for (const pid of frozen) process.kill(pid, 'SIGCONT');
    }
    expect(await database.reconciler([index()]).run(inTime())).toMatchObject({ valid: ['i'], failed: [] });
  });

  it('names the schema of an index where it is not the default one, in every list and event', async () => {
    await database.session.query('CREATE SCHEMA other; CREATE TABLE t (a int); CREATE TABLE other.t AS SELECT 1 AS a, 1 AS b FROM generate_series(1, 2)');
    await expect(database.session.query('CREATE UNIQUE INDEX CONCURRENTLY left_over ON other.t (b)')).rejects.toThrow('could not create unique index');
    const inBoth = (over: Partial<Parameters<typeof index>[0]> = {}) => [index(over), index({ ...over, schema: 'other' })];
    const summary = await database.reconciler([...inBoth({ unique: true }), ...inBoth({ name: 'later', table: 'not_yet' })], {}, [{ name: 'left_over', schema: 'other' }]).run(inTime());
    expect(summary).toMatchObject({
      valid: ['i'],
      failed: [expect.stringMatching(/^other\.i: other\.t holds duplicates/), expect.stringMatching(/^other\.left_over: is to be dropped, but it was not built here/)],
      deferred: [expect.stringMatching(/^later: table public\.not_yet does not/), expect.stringMatching(/^other\.later: table other\.not_yet does not/)],
      invalid: ['other.left_over'],
    });
    expect(database.happened('build started')).toHaveLength(2);
    for (const named of [{ index: 'i', table: 't' }, { index: 'other.i', table: 'other.t' }]) expect(database.happened('build started')).toContainEqual(expect.objectContaining(named));
    expect(database.happened('build failed')).toMatchObject([{ index: 'other.i', table: 'other.t' }]);

    await database.session.query('TRUNCATE other.t; CREATE INDEX of_a ON t (a); CREATE INDEX of_a ON other.t (a)');
    const reader = await database.oldSnapshot();
    const next = database.reconciler([...inBoth({ unique: true }), ...inBoth({ name: 'by_a' })], { generation: 2 });
    await next.tick();
    await database.builderIn(/waiting for old snapshots/);
    expect(await next.tick()).toMatchObject({
      adopted: ['by_a: exists as of_a', 'other.by_a: exists as of_a'],
      building: ['other.i'],
      progress: ['other.i: 99 %, waiting for old snapshots'],
      waits: [expect.stringMatching(/^other\.i has waited /)],
      leftovers: [],
    });
    await reader.end();
    expect(await next.run(inTime())).toMatchObject({
      valid: ['i', 'other.i', 'by_a', 'other.by_a'],
      leftovers: [expect.stringMatching(/^other\.left_over: INVALID, and nobody builds it/)],
    });
    expect(database.happened('build finished')).toContainEqual(expect.objectContaining({ index: 'other.i', table: 'other.t' }));
    await database.session.query('DROP INDEX other.i');
    expect(await next.run(inTime())).toMatchObject({ drifted: [expect.stringMatching(/^other\.i: was dropped by somebody/)] });
  });
});
