import { environments } from '../../../lib/config/environments';
import type { IndexDefinition } from '../../../lib/config/tier-config';
import { loadSample } from '../../../lib/rehearsal/load/sample';
import { index, IndexDatabase, inTime } from './index-database';

let database: IndexDatabase;

beforeAll(async () => {
  database = await IndexDatabase.start('127.34.0.1');
});
afterAll(() => database?.stop());
beforeEach(() => database.begin());

describe('the reconciler', () => {
  it("builds the guide's indexes, each once", async () => {
    await loadSample(() => database.connect(), 20_000, () => undefined);
    const { indexes } = environments.production;
    const summary = await database.reconciler(indexes).run(inTime());
    expect(summary).toMatchObject({ valid: indexes.map(({ name }) => name), adopted: [], building: [], waiting: [], deferred: [], failed: [], drifted: [] });
    expect(database.happened('build started')).toHaveLength(indexes.length);
    expect(database.happened('build finished')).toHaveLength(indexes.length);

    const built = await database.indexes();
    database.events.splice(0);
    await database.reconciler(indexes).run(inTime());
    expect(await database.indexes()).toEqual(built);
    expect(database.events).toEqual([]);
  });

  it('defers an index whose table does not exist yet, names it, and builds it once it does', async () => {
    const reconciler = database.reconciler([index()]);
    expect(await reconciler.validate()).toEqual([]);
    expect(await reconciler.run(inTime())).toMatchObject({ deferred: [expect.stringMatching(/^i: table public\.t does not exist in database test_\d+; it is built once the application's migration has created it$/)], valid: [] });
    await database.session.query('CREATE TABLE t (a int)');
    expect(await database.reconciler([index()]).run(inTime())).toMatchObject({ valid: ['i'], deferred: [] });
  });

  it('takes a difference of formatting for none, and every other one for a change', async () => {
    await database.session.query('CREATE TABLE t (a text, b int, c int)');
    const valid = { kind: 'valid' };
    const change = { kind: 'build', as: 'i_new' };
    const cases: readonly (readonly [string, string, object])[] = [
      ['USING btree (b ASC NULLS LAST) WHERE ((c > 5))', '(b) where c>5', valid],
      ['(a text_ops, lower(a))', '(a, (lower(a)))', valid],
      ['(b) INCLUDE (c)', 'using BTREE ( "b" ) include(c)', valid],
      ['(a)', '(a text_pattern_ops)', change],
      ['(a)', '(a COLLATE "C")', change],
      ['(b)', '(b DESC)', change],
      ['(b)', '(b NULLS FIRST)', change],
      ['(b DESC)', '(b DESC NULLS LAST)', change],
      ['(b, c)', '(c, b)', change],
      ['(b)', '(b) INCLUDE (c)', change],
      ['(b, c)', '(b) INCLUDE (c)', change],
      ['(b)', '(b) WHERE c > 5', change],
      ['(b) WHERE c > 5', '(b) WHERE c > 6', change],
      ['(lower(a))', '(upper(a))', change],
      ['(b)', 'USING hash (b)', change],
      ['(b)', '(b) WITH (fillfactor = 70)', change],
      ['USING brin (b) WITH (pages_per_range = 64)', 'USING brin (b) WITH (pages_per_range = 32)', change],
    ];
    for (const [existing, definition, decision] of cases) {
      await database.session.query(`CREATE INDEX i ON t ${existing}`);
      const { judged } = await database.reconciler([index({ definition })]).survey();
      expect({ existing, definition, decision: judged[0]!.decision }).toMatchObject({ existing, definition, decision });
      await database.session.query('DROP INDEX i');
    }
    await database.session.query('CREATE UNIQUE INDEX i ON t (b)');
    const decide = async (unique: boolean, definition: string) => (await database.reconciler([index({ unique, definition })]).survey()).judged[0]!.decision;
    expect([await decide(true, '(b)'), await decide(false, '(b)'), await decide(true, '(b) NULLS NOT DISTINCT')]).toMatchObject([valid, change, change]);
  });

  it('takes the index of a deferrable constraint for no unique index, since uniqueness is checked later and no foreign key can refer to it', async () => {
    await database.session.query('CREATE TABLE t (a int, CONSTRAINT by_a UNIQUE (a) DEFERRABLE)');
    const refer = () => database.session.query('CREATE TABLE u (a int REFERENCES t (a))');
    await expect(refer()).rejects.toThrow('cannot use a deferrable unique constraint for referenced table');
    await database.session.query('INSERT INTO t VALUES (1), (2); UPDATE t SET a = 3 - a');
    const indexes = [index({ unique: true }), index({ name: 'by_a', unique: true })];
    expect(await database.reconciler(indexes.slice(0, 1)).run(inTime())).toMatchObject({ valid: ['i'], adopted: [], failed: [] });
    await expect(database.session.query('UPDATE t SET a = 3 - a')).rejects.toThrow('violates unique constraint "i"');
    await refer();
    expect(await database.reconciler(indexes).validate()).toEqual(['by_a: has "UNIQUE USING btree (a)" of a deferrable constraint, wanted is "UNIQUE USING btree (a)", and constraint by_a stands on it; give the new definition a name of its own']);
    expect((await database.indexes()).map(({ name }) => name)).toEqual(['by_a', 'i']);
  });

  it('judges a definition anew when the columns of its table, or the table itself, have changed meanwhile', async () => {
    await database.session.query('CREATE TABLE t (a text)');
    const reconciler = database.reconciler([index({ definition: '(lower(a))' })]);
    const canonical = async () => (await reconciler.survey()).judged[0]!.trial;
    expect(await canonical()).toMatchObject({ canonical: 'USING btree (lower(a))' });
    await database.session.query('ALTER TABLE t ALTER a TYPE varchar(9)');
    expect(await canonical()).toMatchObject({ canonical: 'USING btree (lower((a)::text))' });
    await database.session.query('ALTER TABLE t RENAME a TO b');
    expect(await canonical()).toMatchObject({ problem: expect.stringContaining('column "a" does not exist on public.t') });
    await database.session.query('DROP TABLE t; CREATE TABLE t (a text)');
    expect(await reconciler.run(inTime())).toMatchObject({ valid: ['i'], failed: [] });
    expect(database.happened('build started')).toHaveLength(1);
  });

  it('undoes what a function that is falsely marked IMMUTABLE does while it is judged', async () => {
    await database.session.query(
      `CREATE TABLE t (a int); CREATE TABLE audit (a int); CREATE SEQUENCE calls;
       CREATE FUNCTION write(n int) RETURNS int VOLATILE LANGUAGE sql AS $$ INSERT INTO public.audit VALUES (n) RETURNING nextval('public.calls')::int $$;
       CREATE FUNCTION pretends(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN public.write(n); END $$`,
    );
    const reconciler = database.reconciler([index({ definition: '(a) WHERE pretends(1) > 0' })]);
    expect(await reconciler.validate()).toEqual([]);
    // It expects a size of the index too.
    expect((await reconciler.status()).expectedBytes.size).toBe(1);
    // It did run: a sequence is not rolled back.
    expect((await database.session.query('SELECT is_called, (SELECT count(*)::int FROM audit) AS written FROM calls')).rows).toEqual([{ is_called: true, written: 0 }]);
  });

  it('builds what PostgreSQL can index: methods, expressions, options, odd names', async () => {
    await database.session.query('CREATE SCHEMA "Sch ema"; CREATE TABLE "Sch ema"."order" ("Group" text, at timestamptz, tags text[])');
    const place = { schema: 'Sch ema', table: 'order' };
    const indexes = [
      index({ ...place, name: 'I "1"', definition: '(lower("Group") text_pattern_ops) INCLUDE (at)' }),
      index({ ...place, name: 'select', definition: 'USING brin (at) WITH (pages_per_range = 64)' }),
      index({ ...place, name: 'i3', definition: 'USING gin (tags)' }),
      index({ ...place, name: 'i4', unique: true, definition: '("Group", at DESC NULLS LAST) NULLS NOT DISTINCT WHERE at IS NOT NULL' }),
    ];
    expect(await database.reconciler(indexes).run(inTime())).toMatchObject({ valid: ['Sch ema.I "1"', 'Sch ema.select', 'Sch ema.i3', 'Sch ema.i4'], failed: [] });
    expect(await database.reconciler(indexes).validate()).toEqual([]);
  });

  it('reports the problems of all indexes at once and builds nothing', async () => {
    await database.session.query('CREATE TABLE t (a int, j json); CREATE VIEW v AS SELECT 1 AS a; CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE f (a int) SERVER s; CREATE TABLE p (a int) PARTITION BY RANGE (a)');
    const problems = await database.reconciler([
      index({ name: 'i1', definition: '(nope)' }),
      index({ name: 'i2', definition: '(j)' }),
      index({ name: 'i3', definition: '((random()))' }),
      index({ name: 'i4', definition: 'USING nonsense (a)' }),
      index({ name: 'i5', table: 'v' }),
      index({ name: 'i6', table: 'p' }),
      index({ name: 'i7', definition: '(a' }),
      index({ name: 'i8' }),
      index({ name: 'i9', table: 'f' }),
      index({ name: 'i10', definition: '(a no_such_ops)' }),
    ]).validate();
    expect(problems).toEqual([
      expect.stringMatching(/^i1: column "nope" does not exist on public\.t; correct the name/),
      expect.stringMatching(/^i2: data type json has no default operator class/),
      expect.stringMatching(/^i3: functions in index expression must be marked IMMUTABLE/),
      expect.stringMatching(/^i4: access method "nonsense" does not exist; install the extension or correct the name/),
      expect.stringMatching(/^i5: public\.v is a view; index the table that it is made from$/),
      expect.stringMatching(/^i6: public\.p is partitioned/),
      expect.stringMatching(/^i7: its definition is not what PostgreSQL takes/),
      expect.stringMatching(/^i9: public\.f is a foreign table; index the table that it is made from$/),
      expect.stringMatching(/^i10: operator class "no_such_ops" does not exist for access method "btree"; install the extension or correct the name$/),
    ]);
    expect(await database.indexes()).toEqual([]);
  });

  it('runs nothing that a name or a definition smuggles in', async () => {
    await database.session.query('CREATE TABLE t (a int); CREATE TABLE victim (a int)');
    const indexes = [
      index({ name: 'i1', definition: '(a); DROP TABLE victim' }),
      index({ name: 'i2"; DROP TABLE victim; --' }),
      index({ name: 'i3', table: 't"; DROP TABLE victim; --' }),
      index({ name: 'i4', definition: '(a) WHERE a = (SELECT 1 FROM pg_sleep(0))' }),
    ];
    const problems = await database.reconciler(indexes).validate();
    expect(problems).toEqual([
      expect.stringMatching(/^i1: its definition is not what PostgreSQL takes .*cannot insert multiple commands/),
      expect.stringMatching(/^i4: cannot use subquery in index predicate/),
    ]);
    await database.reconciler(indexes.slice(1, 3)).run(inTime());
    expect((await database.session.query("SELECT to_regclass('victim') IS NOT NULL AS there")).rows).toEqual([{ there: true }]);
  });

  it('builds on no more tables at a time than it may, on each one index at a time, and those that hold others back last', async () => {
    await database.session.query('CREATE TABLE t1 (a int); CREATE TABLE t2 (a int); CREATE TABLE t3 (a int)');
    const reader = await database.oldSnapshot();
    const indexes = ['t1', 't2', 't3'].flatMap((table) => [index({ table, name: `i_${table}_a`, definition: '(a) WHERE a > 0' }), index({ table, name: `i_${table}_b` })]);
    const summary = await database.reconciler(indexes, { tablesAtOnce: 2 }).tick();
    expect(summary.building).toEqual(['i_t1_b', 'i_t2_b']);
    expect(summary.waiting).toEqual(['i_t1_a', 'i_t2_a', 'i_t3_a', 'i_t3_b']);
    await reader.end();
    expect((await database.reconciler(indexes, { tablesAtOnce: 2 }).run(inTime())).valid).toHaveLength(6);
    expect(database.happened('build started')).toHaveLength(6);
  });

  it("gives a build its share of the cores, and the last table's build all of them", async () => {
    await database.session.query(`
      CREATE SEQUENCE workers MINVALUE 0;
      CREATE FUNCTION tell_workers(int) RETURNS bigint IMMUTABLE LANGUAGE sql AS $$ SELECT setval('public.workers', current_setting('max_parallel_maintenance_workers')::int) $$;
      CREATE TABLE t AS SELECT 1 AS a;
      CREATE TABLE u AS SELECT 1 AS a, 2 AS b`);
    const telling = (name: string, table: string, column: string): IndexDefinition => index({ name, table, definition: `(tell_workers(${column}))` });
    const told = async (): Promise<number> => Number((await database.session.query<{ last_value: string }>('SELECT last_value FROM workers')).rows[0]!.last_value);
    const both = [telling('i', 't', 'a'), telling('j', 'u', 'a')];
    await database.reconciler(both, { cores: 4 }).run(inTime());
    expect(await told()).toBe(1);
    await database.reconciler([...both, telling('k', 'u', 'b')], { cores: 4 }).run(inTime());
    expect(await told()).toBe(2);
  });

  it('lets two that run at once build each index once', async () => {
    await database.session.query('CREATE TABLE t1 AS SELECT n AS a FROM generate_series(1, 50000) AS n; CREATE TABLE t2 AS TABLE t1');
    const indexes = ['t1', 't2'].flatMap((table) => ['(a)', '(a DESC)', '((a + 1))'].map((definition, number) => index({ table, name: `i_${table}_${number}`, definition })));
    const runs = await Promise.all([1, 2, 3].map(() => database.reconciler(indexes).run(inTime())));
    expect(runs.map(({ valid, failed }) => [valid.length, failed])).toEqual([[6, []], [6, []], [6, []]]); // prettier-ignore
    expect(database.happened('build started')).toHaveLength(6);
    expect(database.happened('build finished')).toHaveLength(6);
  });

  it('does not start a build for which the instance has no room, and says how much it needs', async () => {
    await database.session.query('CREATE TABLE t AS SELECT n AS a FROM generate_series(1, 100000) AS n; ANALYZE t');
    const { failed, waiting } = await database.reconciler([index()], { allocatedBytes: 2 ** 20 }).run(inTime());
    expect(waiting).toEqual([]);
    expect(failed).toEqual([expect.stringMatching(/^i: its build may take 0\.0 GiB .* only 0\.0 GiB are free beyond a reserve of 5 %; raise storage\.sizeGiB$/)]);
    expect(await database.indexes()).toEqual([]);
    expect(await database.reconciler([index()], { allocatedBytes: 2 ** 40 }).run(inTime())).toMatchObject({ valid: ['i'] });
  });

  it.each(['DATABASE', 'ROLE CURRENT_USER IN DATABASE'])('overrides what ALTER %s … SET has set for a session', async (whose) => {
    await database.session.query('CREATE TABLE t AS SELECT n AS a FROM generate_series(1, 1000) AS n');
    const reader = await database.oldSnapshot();
    for (const setting of ["statement_timeout = '50ms'", "lock_timeout = '50ms'", "transaction_timeout = '50ms'", "idle_in_transaction_session_timeout = '50ms'"]) {
      await database.session.query(`ALTER ${whose} ${database.name} SET ${setting}`);
    }
    const reconciler = database.reconciler([index()]);
    await reconciler.tick(0);
    const builder = await database.builderIn(/waiting for old snapshots/);
    const waited = async () => (await database.session.query<{ long: boolean }>("SELECT clock_timestamp() - query_start > interval '200ms' AS long FROM pg_stat_activity WHERE pid = $1", [builder])).rows[0]!.long;
    while (!(await waited())) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await reconciler.tick(0)).toMatchObject({ building: ['i'], failed: [] });
    await reader.end();
    expect(await reconciler.run(inTime())).toMatchObject({ valid: ['i'], failed: [] });
  });
});
