import type { Client } from 'pg';

import { environments } from '../../../lib/config/environments';
import type { IndexDefinition } from '../../../lib/config/tier-config';
import { PostgresServer } from '../../../lib/rehearsal/engines/postgres-server';
import { loadSample } from '../../../lib/rehearsal/load/sample';
import { indexesFromProperties, indexProperties } from '../../../lib/tier/indexes/index-catalogue';
import { IndexReconciler } from '../../../lib/tier/indexes/index-reconciler';

let server: PostgresServer;
let session: Client;
let databases = 0;

beforeAll(async () => {
  server = await PostgresServer.start({ address: '127.34.0.1', parameters: { fsync: 'off' } });
});
afterAll(() => server?.stop());

/** Each test has a database of its own, so that one's leftovers are not another's. */
beforeEach(async () => {
  databases += 1;
  await server.query(`CREATE DATABASE test_${databases}`);
  session = await server.superuser(`test_${databases}`);
});
afterEach(() => session.end());

const events: Record<string, unknown>[] = [];
beforeEach(() => events.splice(0));

function reconcilerFor(indexes: readonly IndexDefinition[], tablesAtOnce?: number): IndexReconciler {
  return new IndexReconciler({
    connect: () => server.superuser(`test_${databases}`),
    indexes: indexesFromProperties(indexProperties(indexes)),
    log: (event) => void events.push(event),
    tablesAtOnce,
  });
}

const inSeconds = (seconds: number): Date => new Date(Date.now() + seconds * 1000);
const index = (over: Partial<IndexDefinition> = {}): IndexDefinition => ({ name: 'i', table: 't', definition: '(a)', ...over });

async function indexRows(): Promise<readonly { name: string; valid: boolean; oid: string }[]> {
  const { rows } = await session.query<{ name: string; valid: boolean; oid: string }>(
    "SELECT c.relname AS name, i.indisvalid AS valid, c.oid::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname LIKE 'i%' AND c.relnamespace = 'public'::regnamespace ORDER BY 1",
  );
  return rows;
}

describe('the reconciler', () => {
  it("builds the guide's indexes, each once", async () => {
    await loadSample(() => server.superuser(`test_${databases}`), 20_000, () => undefined);
    const { indexes } = environments.production;
    const summary = await reconcilerFor(indexes).run(inSeconds(30));
    expect(summary).toEqual({ valid: indexes.map(({ name }) => name), building: [], waiting: [], deferred: [], failed: [] });
    expect(events.filter(({ event }) => event === 'build started')).toHaveLength(indexes.length);

    const built = await indexRows();
    events.splice(0);
    await reconcilerFor(indexes).run(inSeconds(30));
    expect(await indexRows()).toEqual(built);
    expect(events).toEqual([]);
  });

  it('defers an index whose table does not exist yet, names it, and builds it once it does', async () => {
    const reconciler = reconcilerFor([index()]);
    expect(await reconciler.validate()).toEqual([]);
    expect(await reconciler.run(inSeconds(5))).toMatchObject({ deferred: ['i: public.t'], valid: [] });
    await session.query('CREATE TABLE t (a int)');
    expect(await reconcilerFor([index()]).run(inSeconds(10))).toMatchObject({ valid: ['i'], deferred: [] });
  });

  it('repairs what a dead build left INVALID', async () => {
    await session.query('CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)');
    await expect(session.query('CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)')).rejects.toThrow('could not create unique index');
    expect(await indexRows()).toMatchObject([{ name: 'i', valid: false }]);
    await session.query('DELETE FROM t');
    expect(await reconcilerFor([index({ unique: true })]).run(inSeconds(10))).toMatchObject({ valid: ['i'] });
    expect(await indexRows()).toMatchObject([{ name: 'i', valid: true }]);
    expect(events.map(({ event }) => event)).toEqual(['dropping what a dead build left', 'build started', 'build finished']);
  });

  it('says that duplicates forbid a unique index, without quoting them', async () => {
    await session.query("CREATE TABLE t (a text); INSERT INTO t VALUES ('secret'), ('secret')");
    const { failed } = await reconcilerFor([index({ unique: true })]).run(inSeconds(5));
    expect(failed).toEqual(['i: public.t holds duplicates, so the unique index cannot be; remove them, then deploy again']);
    expect(JSON.stringify(events)).not.toContain('secret');
  });

  it('takes a difference of formatting for none, and another definition for a problem', async () => {
    await session.query('CREATE TABLE t (a int, b int); CREATE INDEX i ON t USING btree (a ASC NULLS LAST) WHERE ((b > 5))');
    expect(await reconcilerFor([index({ definition: '(a) where b>5' })]).validate()).toEqual([]);
    expect(await reconcilerFor([index({ definition: '(b)' })]).validate()).toEqual([expect.stringMatching(/^i: has the definition .* wanted is "USING btree \(b\)"/)]);
  });

  it('builds what PostgreSQL can index: methods, expressions, options, odd names', async () => {
    await session.query('CREATE SCHEMA "Sch ema"; CREATE TABLE "Sch ema"."order" ("Group" text, at timestamptz, tags text[])');
    const place = { schema: 'Sch ema', table: 'order' };
    const indexes = [
      index({ ...place, name: 'I "1"', definition: '(lower("Group") text_pattern_ops) INCLUDE (at)' }),
      index({ ...place, name: 'select', definition: 'USING brin (at) WITH (pages_per_range = 64)' }),
      index({ ...place, name: 'i3', definition: 'USING gin (tags)' }),
      index({ ...place, name: 'i4', unique: true, definition: '("Group", at DESC NULLS LAST) NULLS NOT DISTINCT WHERE at IS NOT NULL' }),
    ];
    expect(await reconcilerFor(indexes).run(inSeconds(15))).toMatchObject({ valid: ['I "1"', 'select', 'i3', 'i4'], failed: [] });
    expect(await reconcilerFor(indexes).validate()).toEqual([]);
  });

  it('reports the problems of all indexes at once and builds nothing', async () => {
    await session.query('CREATE TABLE t (a int, j json); CREATE VIEW v AS SELECT 1 AS a; CREATE TABLE p (a int) PARTITION BY RANGE (a)');
    const problems = await reconcilerFor([
      index({ name: 'i1', definition: '(nope)' }),
      index({ name: 'i2', definition: '(j)' }),
      index({ name: 'i3', definition: '((random()))' }),
      index({ name: 'i4', definition: 'USING nonsense (a)' }),
      index({ name: 'i5', table: 'v' }),
      index({ name: 'i6', table: 'p' }),
      index({ name: 'i7', definition: '(a' }),
      index({ name: 'i8' }),
    ]).validate();
    expect(problems).toEqual([
      expect.stringMatching(/^i1: column "nope" does not exist on public\.t; correct the name/),
      expect.stringMatching(/^i2: data type json has no default operator class/),
      expect.stringMatching(/^i3: functions in index expression must be marked IMMUTABLE/),
      expect.stringMatching(/^i4: access method "nonsense" does not exist; install the extension or correct the name/),
      expect.stringMatching(/^i5: public\.v is not a table/),
      expect.stringMatching(/^i6: public\.p is partitioned/),
      expect.stringMatching(/^i7: its definition is not what PostgreSQL takes/),
    ]);
    expect(await indexRows()).toEqual([]);
  });

  it('runs nothing that a name or a definition smuggles in', async () => {
    await session.query('CREATE TABLE t (a int); CREATE TABLE victim (a int)');
    const indexes = [
      index({ name: 'i1', definition: '(a); DROP TABLE victim' }),
      index({ name: 'i2"; DROP TABLE victim; --' }),
      index({ name: 'i3', table: 't"; DROP TABLE victim; --' }),
      index({ name: 'i4', definition: '(a) WHERE a = (SELECT 1 FROM pg_sleep(0))' }),
    ];
    const problems = await reconcilerFor(indexes).validate();
    expect(problems).toEqual([
      expect.stringMatching(/^i1: its definition is not what PostgreSQL takes .*cannot insert multiple commands/),
      expect.stringMatching(/^i4: cannot use subquery in index predicate/),
    ]);
    await reconcilerFor(indexes.slice(1, 3)).run(inSeconds(5));
    expect((await session.query("SELECT to_regclass('victim') IS NOT NULL AS there")).rows).toEqual([{ there: true }]);
  });

  it('builds on no more tables at a time than it may, and on each one index at a time', async () => {
    await session.query('CREATE TABLE t1 (a int); CREATE TABLE t2 (a int); CREATE TABLE t3 (a int)');
    // An old snapshot keeps every concurrent build from ending.
    const reader = await server.superuser(`test_${databases}`);
    await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
    const indexes = ['t1', 't2', 't3'].flatMap((table) => [index({ table, name: `i_${table}_a` }), index({ table, name: `i_${table}_b`, definition: '(a DESC)' })]);
    const summary = await reconcilerFor(indexes, 2).tick();
    expect(summary.building).toEqual(['i_t1_a', 'i_t2_a']);
    expect(summary.waiting).toEqual(['i_t1_b', 'i_t2_b', 'i_t3_a', 'i_t3_b']);
    expect(events).toContainEqual({ event: 'build waits', blocker: expect.objectContaining({ state: 'idle in transaction' }) });
    await reader.end();
    expect((await reconcilerFor(indexes, 2).run(inSeconds(20))).valid).toHaveLength(6);
    expect(events.filter(({ event }) => event === 'build started')).toHaveLength(6);
  });

  it('refuses a standby', async () => {
    const standby = await server.startStandby({ address: '127.34.0.2' });
    try {
      const reconciler = new IndexReconciler({ connect: () => standby.superuser(), indexes: [], log: () => undefined });
      await expect(reconciler.validate()).rejects.toThrow('the endpoint is a replica; indexes are built on the primary');
    } finally {
      await standby.stop();
    }
  });
});
