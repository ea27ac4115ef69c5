import { index, IndexDatabase, inSeconds } from './index-database';

let database: IndexDatabase;

beforeAll(async () => {
  database = await IndexDatabase.start('127.34.4.1');
});
afterAll(() => database?.stop());
beforeEach(() => database.begin());

const terminate = (pid: number) => database.session.query('SELECT pg_terminate_backend($1)', [pid]);

describe('a build', () => {
  it('that finds duplicates says so without quoting them, leaves nothing behind, and is not tried again', async () => {
    await database.session.query("CREATE TABLE t (a text, b text); INSERT INTO t VALUES ('secret', 'x'), ('secret', 'x')");
    const indexes = [index({ unique: true, definition: '(a, b)' })];
    const message =
      'i: public.t holds duplicates on (a, b), so the unique index cannot be, and is removed; delete them, then deploy again or, if the list stays as it is, run: npm run indexes -- retry; find them with: SELECT a, b, count(*) FROM "public"."t" WHERE a IS NOT NULL AND b IS NOT NULL GROUP BY a, b HAVING count(*) > 1';
    expect((await database.reconciler(indexes).run(inSeconds(10))).failed).toEqual([message]);
    expect((await database.reconciler(indexes).run(inSeconds(10))).failed).toEqual([message]);
    expect(database.happened('build started')).toHaveLength(1);
    expect(JSON.stringify(database.events)).not.toContain('secret');
    expect(await database.indexes()).toEqual([]);

    await database.session.query('DELETE FROM t');
    expect(await database.reconciler(indexes, { generation: 2 }).run(inSeconds(10))).toMatchObject({ valid: ['i'], failed: [] });
  });

  it('whose session is terminated is dropped and built again', async () => {
    await database.session.query('CREATE TABLE t AS SELECT n AS a FROM generate_series(1, 1000) AS n');
    const reader = await database.oldSnapshot();
    const reconciler = database.reconciler([index()]);
    await reconciler.tick();
    await terminate(await database.builderIn(/waiting for old snapshots/));
    await reader.end();
    expect(await reconciler.run(inSeconds(10))).toMatchObject({ valid: ['i'], failed: [] });
    expect(database.happened('build failed')).toEqual([expect.objectContaining({ problem: 'the session of the build was ended, as in a failover or a restart' })]);
    expect(database.happened('build started')).toHaveLength(2);
  });

  it('that dies three times is given up, and its remains go', async () => {
    await database.session.query('CREATE TABLE t AS SELECT n AS a FROM generate_series(1, 1000) AS n');
    const reader = await database.oldSnapshot();
    const reconciler = database.reconciler([index({ unique: true })]);
    for (let attempt = 1; attempt <= 3; attempt++) {
      const ticking = reconciler.tick();
      const pid = await database.builderIn(/waiting for old snapshots/);
      await ticking;
      await terminate(pid);
      while (database.happened('build failed').length < attempt) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const summary = await reconciler.run(inSeconds(10));
    expect(summary.failed).toEqual(['i: its build died 3 times; the session of the build was ended, as in a failover or a restart; deploy again or, if the list stays as it is, run: npm run indexes -- retry']);
    await reader.end();
    while ((await database.indexes()).length > 0) await reconciler.tick();
    expect(database.happened('build started')).toHaveLength(3);
  });

  it('that other DDL on the table cancels by a deadlock is tried again', async () => {
    await database.session.query('CREATE TABLE t AS SELECT n AS a FROM generate_series(1, 1000) AS n');
    const reader = await database.connect();
    await reader.query('BEGIN; SELECT 1 FROM t LIMIT 1; INSERT INTO t VALUES (0)');
    const reconciler = database.reconciler([index()]);
    await reconciler.tick();
    await database.builderIn(/waiting for writers before build/);
    // Its lock waits for the build's, and the build then waits for its transaction.
    const vacuumer = await database.connect();
    const analyze = vacuumer.query('ANALYZE t').catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await reader.query('COMMIT');
    expect(await reconciler.run(inSeconds(15))).toMatchObject({ valid: ['i'], failed: [] });
    await analyze;
    expect(database.happened('build started').map(({ attempt, of }) => [attempt, of])).toEqual([[1, 3], [2, 3]]); // prettier-ignore
    expect(database.happened('build failed')).toEqual([expect.objectContaining({ problem: 'other DDL or ANALYZE waited on public.t and cancelled the build' })]);
    await Promise.all([reader.end(), vacuumer.end()]);
  });

  it.each([
    [/waiting for writers before build/, 'INSERT INTO t VALUES (0)', undefined],
    [/building index/, undefined, undefined],
    [/waiting for writers before validation/, undefined, 'INSERT INTO t VALUES (0)'],
    [/waiting for old snapshots/, 'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT 1', undefined],
  ])('whose client is gone while it is in phase %s goes on, and is VALID in the end', async (phase, before, meanwhile) => {
    await database.session.query(
      `CREATE TABLE t AS SELECT n AS a FROM generate_series(1, 1000) AS n;
       CREATE FUNCTION slow(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN IF n = 1 THEN PERFORM pg_sleep(1); END IF; RETURN n; END $$`,
    );
    const indexes = [index({ definition: '(slow(a))' })];
    const holder = await database.connect();
    await holder.query(`BEGIN; ${before ?? ''}`);
    const sockets: { destroy(): void }[] = [];
    const connect = async () => {
      const client = await database.connect();
      client.on('error', () => undefined);
      sockets.push((client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream);
      return client;
    };
    const ticking = database.reconciler(indexes, { connect }).tick().catch(() => undefined);
    if (meanwhile) {
      await database.builderIn(/building index/);
      await holder.query(meanwhile);
    }
    await database.builderIn(phase);
    for (const socket of sockets) socket.destroy();
    await ticking;
    await holder.query('COMMIT');
    await holder.end();
    expect(await database.reconciler(indexes).run(inSeconds(15))).toMatchObject({ valid: ['i'], failed: [] });
    expect(database.happened('build started')).toHaveLength(1);
  });
});

describe('remains of a dead build', () => {
  const buildBoth = async (): Promise<readonly string[]> => {
    expect(await database.reconciler([index({ name: 'other', definition: '(a DESC)' }), index({ unique: true })]).run(inSeconds(10))).toMatchObject({ valid: ['other', 'i'] });
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
    await database.session.query("CREATE TABLE t AS SELECT 1 AS a; CREATE UNIQUE INDEX i ON t (a); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i'::regclass");
    await expect(database.session.query('INSERT INTO t VALUES (1)')).rejects.toThrow('duplicate key');
    expect(await buildBoth()).toEqual(repaired);
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
    expect(await database.reconciler([index()]).run(inSeconds(5))).toMatchObject({ valid: ['i'] });
    expect(database.happened('index dropped')).toEqual([]);
  });
});
