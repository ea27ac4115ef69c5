import type { Client } from 'pg';

import { readHistory, recordProblem, recordStart } from '../../../lib/tier/indexes/build-history';
import { buildProblem } from '../../../lib/tier/indexes/build-problems';
import { becomeBuilder, tryLockTable } from '../../../lib/tier/indexes/index-session';
import { runStatement } from '../../../lib/tier/indexes/index-sql';
import { prepareStore } from '../../../lib/tier/indexes/index-store';
import type { AcceptedTrial } from '../../../lib/tier/indexes/index-trial';
import type { DatabaseError } from '../../../lib/tier/indexes/passing-errors';
import { catalogueOf, index, IndexDatabase, inTime } from './index-database';

let database: IndexDatabase;

beforeAll(async () => {
  database = await IndexDatabase.start('127.34.4.1');
});
afterAll(() => database?.stop());
beforeEach(() => database.begin());

const soon = () => new Promise((resolve) => setTimeout(resolve, 20));

const terminate = (pid: number) => database.session.query('SELECT pg_terminate_backend($1)', [pid]);

describe('a build', () => {
  it('that finds duplicates says so without quoting them, leaves nothing behind, and is not tried again', async () => {
    await database.session.query("CREATE TABLE t (a text, b text); INSERT INTO t VALUES ('secret', 'x'), ('secret', 'x')");
    const indexes = [index({ unique: true, definition: '(a, b)' })];
    const message =
      'i: public.t holds duplicates on (a, b), so the unique index cannot be, and is removed; delete them, then deploy again or, if the list stays as it is, run: npm run indexes -- retry; find them with: SELECT a, b, count(*) FROM "public"."t" WHERE a IS NOT NULL AND b IS NOT NULL GROUP BY a, b HAVING count(*) > 1';
    expect((await database.reconciler(indexes).run(inTime())).failed).toEqual([message]);
    expect((await database.reconciler(indexes).run(inTime())).failed).toEqual([message]);
    expect(database.happened('build started')).toHaveLength(1);
    expect(JSON.stringify(database.events)).not.toContain('secret');
    expect(await database.indexes()).toEqual([]);

    await database.session.query('DELETE FROM t');
    expect(await database.reconciler(indexes, { generation: 2 }).run(inTime())).toMatchObject({ valid: ['i'], failed: [] });
  });

  it('that failed is not left before its remains are dropped, by which inserts would fail', async () => {
    await database.session.query('CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)');
    // What drops them comes to the lock of the table later than the look that decides whether anything is left to do.
    const connect = async (): Promise<Client> => {
      const client = await database.connect();
      const query = client.query.bind(client) as (...args: readonly unknown[]) => Promise<unknown>;
      const late = async (...args: readonly unknown[]): Promise<unknown> => {
        if (String(args[0]).includes('pg_try_advisory_lock')) await new Promise((resolve) => setTimeout(resolve, 500));
        return query(...args);
      };
      return Object.assign(client, { query: late });
    };
    const { failed, invalid } = await database.reconciler([index({ unique: true })], { connect }).run(inTime());
    expect({ failed, invalid }).toEqual({ failed: [expect.stringMatching(/^i: public\.t holds duplicates/)], invalid: [] });
    expect(await database.indexes()).toEqual([]);
  });

  it.each(['building index: scanning table', 'waiting for old snapshots'])('whose session is terminated in phase "%s" is dropped and built again', async (phase) => {
    // Its rows are read once nobody keeps the lock, and it ends once nobody has an old snapshot.
    await database.session.query(
      `CREATE TABLE t AS SELECT n AS a FROM generate_series(1, 1000) AS n;
       CREATE FUNCTION held(a int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN a; END'`,
    );
    const reader = await database.oldSnapshot();
    if (phase !== 'waiting for old snapshots') await reader.query('SELECT pg_advisory_lock(1)');
    const reconciler = database.reconciler([index({ definition: '(held(a))' })]);
    const ticking = reconciler.tick(0);
    await terminate(await database.builderIn(new RegExp(phase)));
    await reader.end();
    await ticking;
    expect(await reconciler.run(inTime())).toMatchObject({ valid: ['i'], failed: [] });
    expect(database.happened('build failed')).toEqual([expect.objectContaining({ problem: 'the session of the build was ended, as in a failover or a restart' })]);
    expect(database.happened('build started')).toHaveLength(2);
  });

  it('that dies three times is given up, and its remains go', async () => {
    await database.session.query('CREATE TABLE t AS SELECT n AS a FROM generate_series(1, 1000) AS n');
    const reader = await database.oldSnapshot();
    const reconciler = database.reconciler([index({ unique: true })]);
    for (let attempt = 1; attempt <= 3; attempt++) {
      const ticking = reconciler.tick(0);
      const pid = await database.builderIn(/waiting for old snapshots/);
      await ticking;
      await terminate(pid);
      while (database.happened('build failed').length < attempt) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const summary = await reconciler.run(inTime());
    expect(summary.failed).toEqual(['i: its build died 3 times; the session of the build was ended, as in a failover or a restart; deploy again or, if the list stays as it is, run: npm run indexes -- retry']);
    await reader.end();
    while ((await database.indexes()).length > 0) await reconciler.tick();
    expect(database.happened('build started')).toHaveLength(3);
  });

  it.each(['ANALYZE t', 'ALTER TABLE t ADD COLUMN b int'])('that %s cancels by a deadlock is tried again', async (ddl) => {
    await database.session.query('CREATE TABLE t AS SELECT n AS a FROM generate_series(1, 1000) AS n');
    const writer = await database.openWriter();
    const reconciler = database.reconciler([index()]);
    const ticking = reconciler.tick(0);
    await database.builderIn(/waiting for writers before build/);
    // Its lock waits for the build's, and the build then waits for its transaction.
    const other = await database.connect();
    await other.query("SET deadlock_timeout = '1min'"); // of two that wait for each other, the one that looks first gives in
    const done = other.query(ddl);
    while ((await database.session.query("SELECT FROM pg_locks WHERE relation = 't'::regclass AND NOT granted")).rowCount === 0) await soon();
    await writer.query('COMMIT');
    await ticking;
    expect(await reconciler.run(inTime())).toMatchObject({ valid: ['i'], failed: [] });
    await done;
    expect(database.happened('build started').map(({ attempt, of }) => [attempt, of])).toEqual([[1, 3], [2, 3]]); // prettier-ignore
    expect(database.happened('build failed')).toEqual([expect.objectContaining({ problem: 'other DDL or ANALYZE waited on public.t and cancelled the build' })]);
    await Promise.all([writer.end(), other.end()]);
  });
});

describe('a server at its limits', () => {
  it('for temporary files fails a build, which is not tried again and leaves nothing', async () => {
    await database.session.query('CREATE TABLE t AS SELECT n AS a FROM generate_series(1, 50000) AS n');
    await database.session.query(`ALTER DATABASE ${database.name} SET maintenance_work_mem = '64kB'; ALTER DATABASE ${database.name} SET temp_file_limit = '64kB'`);
    expect((await database.reconciler([index()]).run(inTime())).failed).toEqual(['i: its sort outgrew temp_file_limit; raise temp_file_limit or maintenance_work_mem, then deploy again or, if the list stays as it is, run: npm run indexes -- retry']);
    expect(database.happened('build started')).toHaveLength(1);
    expect(await database.indexes()).toEqual([]);
  });

  it('for locks fails a build with what to raise; a look waits until there is room, and takes it for no fault of a definition', async () => {
    await database.session.query('CREATE TABLE t (a int)');
    const reconciler = database.reconciler([index()]);
    const { judged } = await reconciler.survey();
    const [builder, hoarder] = [await database.connect(), await database.connect()];
    try {
      await expect(hoarder.query('SELECT count(pg_advisory_lock(n)) FROM generate_series(1, 1000000) AS n')).rejects.toThrow('out of shared memory');
      const error = await runStatement(builder, 'CREATE INDEX CONCURRENTLY i ON public.t (a)').catch((refusal: DatabaseError) => refusal);
      const { index: wanted, trial } = judged[0]!;
      expect(buildProblem(wanted, trial as AcceptedTrial, error as DatabaseError)).toEqual({ problem: expect.stringMatching(/^the server has no room for more locks; raise max_locks_per_transaction, then deploy again/), hopeless: true });

      const running = database.reconciler([index({ name: 'other' })]).run(inTime());
      while (database.happened('look failed').length === 0) await soon();
      expect(database.happened('look failed')[0]).toMatchObject({ problem: 'out of shared memory' });
      await hoarder.query('SELECT pg_advisory_unlock_all()');
      expect(await running).toMatchObject({ valid: ['other'], failed: [] });
    } finally {
      await Promise.all([builder.end(), hoarder.end()]);
    }
  });
});

describe('what is recorded of a build', () => {
  it('does not change when a function that was frozen learns late how an earlier one ended', async () => {
    await prepareStore(database.session);
    const [wanted] = catalogueOf([index()]).indexes;
    const recorded = { index: wanted!, definition: 'USING btree (a)', generation: 1 };
    const first = await recordStart(database.session, recorded);
    const again = { ...recorded, generation: 2 };
    const second = await recordStart(database.session, again);
    await recordProblem(database.session, recorded, first, { problem: 'duplicates', hopeless: true });
    const record = async () => (await readHistory(database.session)).get('public.i');
    expect(await record()).toMatchObject({ generation: 2, problem: null, hopeless: false });
    await recordProblem(database.session, again, second, { problem: 'duplicates', hopeless: true });
    expect(await record()).toMatchObject({ generation: 2, problem: 'duplicates', hopeless: true });
  });

  it('makes an index that a person built after a build had failed none that was built here', async () => {
    await database.session.query('CREATE TABLE t AS SELECT n AS a FROM generate_series(1, 1000) AS n');
    const reader = await database.oldSnapshot();
    const reconciler = database.reconciler([index()]);
    const ticking = reconciler.tick(0);
    await terminate(await database.builderIn(/waiting for old snapshots/));
    await ticking;
    while (database.happened('build failed').length === 0) await soon();
    while ((await database.session.query('SELECT FROM index_migrations.builds WHERE problem IS NOT NULL')).rowCount === 0) await soon();
    await reader.end();
    await database.session.query('DROP INDEX i; CREATE INDEX i ON t (a)');
    expect(await reconciler.run(inTime())).toMatchObject({ valid: ['i'] });
    expect((await database.session.query("SELECT obj_description('i'::regclass) AS comment")).rows).toEqual([{ comment: null }]);
  });
});

describe('a build by hand', () => {
  it.each(['is under way', 'begins just before one of ours'])('that %s on the same table is let end: a build that queued behind it would cancel it by a deadlock', async (when) => {
    await database.session.query('CREATE TABLE t (a int)');
    const [writer, person] = [await database.openWriter(), await database.connect()];
    let byHand: Promise<unknown> | undefined;
    const begin = async (): Promise<void> => {
      byHand = person.query('CREATE INDEX CONCURRENTLY by_hand ON t (a)');
      byHand.catch(() => undefined); // awaited below
      await database.builderIn(/waiting for writers before build/);
    };
    if (when === 'is under way') await begin();
    let asked = 0;
    const isAccepted = async (): Promise<boolean> => {
      asked += 1;
      if (asked === 2 && byHand === undefined) await begin(); // first the look asks, then the builder, which has the lock of the table by now
      return true;
    };
    const reconciler = database.reconciler([index({ definition: '(a DESC)' })], { isAccepted });
    expect(await reconciler.tick(500)).toMatchObject({ waiting: ['i'] });
    const { waits } = await reconciler.tick();
    expect(waits).toEqual([expect.stringMatching(/^i begins when pid \d+ \(no application name, rdsadmin, active, transaction of \d+ s\) has ended its work on the table; if nobody needs that, end it with: SELECT pg_terminate_backend\(\d+\)$/)]);
    expect(await reconciler.status()).toMatchObject({ waits: [{ index: 'i', direction: 'begins after' }] });
    expect(database.happened('build waits')).toEqual([expect.objectContaining({ index: 'i', direction: 'begins after' })]);
    await writer.end();
    await byHand;
    await person.end();
    expect(database.happened('build started')).toEqual([]);
    expect(await database.reconciler([index({ definition: '(a DESC)' })]).run(inTime())).toMatchObject({ valid: ['i'], failed: [] });
  });
});

describe('remains of a dead build', () => {
  const buildBoth = async (): Promise<readonly string[]> => {
    expect(await database.reconciler([index({ name: 'other', definition: '(a DESC)' }), index({ unique: true })]).run(inTime())).toMatchObject({ valid: ['other', 'i'] });
    return database.events.filter(({ event }) => event === 'index dropped' || event === 'build started').map((event) => `${String(event.event)} ${String(event.index)}`);
  };
  const repaired = ['index dropped i', 'build started i', 'build started other'];

  it('that ended at duplicates in its first scan are dropped before anything else is built', async () => {
    await database.session.query('CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)');
    await expect(database.session.query('CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)')).rejects.toThrow('could not create unique index');
    await database.session.query('DELETE FROM t');
    expect(await buildBoth()).toEqual(repaired);
  });

  it('that was killed before it validated, so that inserts fail by them, are too', async () => {
    await database.session.query('CREATE TABLE t AS SELECT 1 AS a');
    const first = await database.openWriter();
    const person = await database.connect();
    const byHand = person.query('CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)').catch(() => undefined);
    const second = await database.nextWriter(first);
    await terminate(await database.builderIn(/waiting for writers before validation/));
    await byHand;
    await Promise.all([first.end(), second.end()]);
    expect((await database.session.query("SELECT indisready, indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass")).rows).toEqual([{ indisready: true, indisvalid: false }]);
    await expect(database.session.query('INSERT INTO t VALUES (1)')).rejects.toThrow('duplicate key');
    expect(await buildBoth()).toEqual(repaired);
  });

  it('are left alone while their builder holds the lock of the table, idle, and dropped once the server has ended it', async () => {
    await database.session.query('CREATE TABLE t AS SELECT 1 AS a FROM generate_series(1, 2)');
    const frozen = await database.connect();
    const { rows: [table] } = await frozen.query<{ oid: string }>("SELECT 't'::regclass::oid::text AS oid"); // prettier-ignore
    await becomeBuilder(frozen, 'i');
    await tryLockTable(frozen, table!.oid);
    await expect(frozen.query('CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)')).rejects.toThrow('could not create unique index');
    await database.session.query('TRUNCATE t');
    const reconciler = database.reconciler([index({ unique: true })]);
    expect(await reconciler.tick()).toMatchObject({ building: ['i'], failed: [] });
    expect(database.events).toEqual([]);
    await frozen.query("SET idle_session_timeout = '1ms'");
    expect(await reconciler.run(inTime())).toMatchObject({ valid: ['i'], failed: [] });
    expect(database.events.map(({ event }) => event)).toEqual(['index dropped', 'build started', 'build finished']);
  });

  it('that a person begins to repair at the very moment in which they would be dropped are left to that person', async () => {
    await database.session.query('CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)');
    await expect(database.session.query('CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)')).rejects.toThrow('could not create unique index');
    await database.session.query('DELETE FROM t');
    const [reader, person] = [await database.oldSnapshot(), await database.connect()];
    let repair: Promise<unknown> | undefined;
    let asked = 0;
    const isAccepted = async (): Promise<boolean> => {
      asked += 1;
      if (asked !== 2) return true; // first the look asks, then the builder, just before it drops
      repair = person.query('REINDEX INDEX CONCURRENTLY i');
      await database.builderIn(/waiting for old snapshots/);
      return true;
    };
    await database.reconciler([index({ unique: true })], { isAccepted }).tick(100);
    await reader.end();
    await repair;
    await person.end();
    await database.noBuilder();
    expect(await database.reconciler([index({ unique: true })]).run(inTime())).toMatchObject({ valid: ['i'], failed: [] });
    expect(database.events.filter(({ event }) => event === 'index dropped' || event === 'build started')).toEqual([]);
  });

  it('are left to a build by hand that still runs', async () => {
    await database.session.query('CREATE TABLE t (a int)');
    const reader = await database.oldSnapshot();
    const person = await database.connect();
    const byHand = person.query('CREATE INDEX CONCURRENTLY i ON t (a)');
    await database.builderIn(/waiting for old snapshots/);
    expect(await database.reconciler([index()]).tick()).toMatchObject({ waiting: ['i'] });
    await reader.end();
    await byHand;
    await person.end();
    expect(await database.reconciler([index()]).run(inTime())).toMatchObject({ valid: ['i'] });
    expect(database.happened('index dropped')).toEqual([]);
  });
});
