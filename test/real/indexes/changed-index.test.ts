import { builtBesideComment, builtHereComment } from '../../../lib/tier/indexes/index-ownership';
import { index, IndexDatabase, inTime } from './index-database';

let database: IndexDatabase;

beforeAll(async () => {
  database = await IndexDatabase.start('127.34.3.1');
});
afterAll(() => database?.stop());
beforeEach(async () => {
  await database.begin();
  await database.session.query('CREATE TABLE t AS SELECT n AS a, n AS b FROM generate_series(1, 1000) AS n');
});

const comment = async (name: string): Promise<unknown> => (await database.session.query<{ comment: string }>("SELECT obj_description($1::regclass, 'pg_class') AS comment", [name])).rows[0]?.comment;
const names = async (): Promise<readonly string[]> => (await database.indexes()).map(({ name, definition }) => `${name} ${definition.replace(/^.* USING btree /, '')}`);
/** The names once there are so many: nobody waits for the drop of an old one. */
async function remaining(count: number): Promise<readonly string[]> {
  while ((await names()).length !== count) await new Promise((resolve) => setTimeout(resolve, 20));
  return names();
}

describe('a changed definition', () => {
  it('is built beside, takes the name, and leaves the old one until the next deploy has succeeded', async () => {
    await database.reconciler([index()]).run(inTime());
    const changed = [index({ definition: '(b)' })];
    expect(await database.reconciler(changed, { generation: 2 }).run(inTime())).toMatchObject({ valid: ['i'], failed: [] });
    expect(await names()).toEqual(['i (b)', 'i_old (a)']);
    expect(database.happened('swapped')).toEqual([{ event: 'swapped', index: 'i', table: 't', old: 'i_old' }]);

    await database.reconciler(changed, { generation: 2 }).run(inTime());
    expect(await names()).toEqual(['i (b)', 'i_old (a)']);
    await database.noBuilder();
    await database.reconciler(changed, { generation: 3 }).run(inTime());
    expect(await remaining(1)).toEqual(['i (b)']);
  });

  it('goes back by renames when it is rolled back, builds nothing, and drops nothing', async () => {
    await database.reconciler([index()]).run(inTime());
    const oid = (await database.indexes())[0]!.oid;
    await database.reconciler([index({ definition: '(b)' })], { generation: 2 }).run(inTime());
    database.events.splice(0);
    const back = await database.reconciler([index()], { generation: 2, rolledBack: true }).run(inTime());
    expect(back).toMatchObject({ valid: ['i'] });
    expect(await names()).toEqual(['i (a)', 'i_old (b)']);
    expect((await database.indexes())[0]).toMatchObject({ name: 'i', oid });
    expect(database.happened('build started')).toEqual([]);
  });

  it('is not swapped while its build is not VALID', async () => {
    await database.reconciler([index()]).run(inTime());
    const reader = await database.oldSnapshot();
    const reconciler = database.reconciler([index({ definition: '(b)' })], { generation: 2 });
    await reconciler.tick();
    await database.builderIn(/waiting for old snapshots/);
    expect(await reconciler.tick()).toMatchObject({ building: ['i'] });
    expect(await names()).toEqual(['i (a)', 'i_new (b)']);
    await reader.end();
    expect(await reconciler.run(inTime())).toMatchObject({ valid: ['i'] });
    expect(await names()).toEqual(['i (b)', 'i_old (a)']);
  });

  it('keeps an old index for ever that was not built here', async () => {
    await database.session.query('CREATE INDEX i ON t (a)');
    for (const generation of [1, 2, 3]) await database.reconciler([index({ definition: '(b)' })], { generation }).run(inTime());
    expect(await names()).toEqual(['i (b)', 'i_old (a)']);
  });

  it('keeps one that was not built here through a rollback and every later change', async () => {
    await database.session.query("CREATE INDEX i ON t (a); COMMENT ON INDEX i IS 'of the application'");
    const changed = [index({ definition: '(b)' })];
    await database.reconciler(changed, { generation: 2 }).run(inTime());
    await database.reconciler([index()], { generation: 2, rolledBack: true }).run(inTime());
    expect(await comment('i')).toBe('of the application');
    for (const generation of [3, 4]) await database.reconciler(changed, { generation }).run(inTime());
    expect(await names()).toEqual(['i (b)', 'i_old (a)']);
    expect(await comment('i_old')).toBe('of the application');
  });

  it('of a change that was given up is dropped, and so is an old one whose drop was cut short', async () => {
    await database.reconciler([index()]).run(inTime());
    const reader = await database.oldSnapshot();
    await database.reconciler([index({ definition: '(b)' })], { generation: 2 }).tick();
    await reader.end();
    await database.noBuilder();
    await database.reconciler([index()], { generation: 3 }).run(inTime());
    expect(await remaining(1)).toEqual(['i (a)']);
    await database.noBuilder();

    const changed = database.reconciler([index({ definition: '(b)' })], { generation: 4 });
    await changed.run(inTime());
    await database.noBuilder();
    await database.session.query("UPDATE pg_index SET indisvalid = false, indisready = false WHERE indexrelid = 'i_old'::regclass");
    await changed.run(inTime());
    expect(await remaining(1)).toEqual(['i (b)']);
    expect(await changed.run(inTime())).toMatchObject({ valid: ['i'], invalid: [], leftovers: [] });
  });

  it('never takes an index of the list, or one that was removed from it, for what it makes and leaves beside itself', async () => {
    const others = [index({ name: 'i_new', definition: '(b)' }), index({ name: 'i_old', definition: '(a, b)' })];
    for (const generation of [1, 2]) expect(await database.reconciler([index(), ...others], { generation }).run(inTime())).toMatchObject({ valid: ['i', 'i_new', 'i_old'] });
    const all = await names();
    expect(all).toEqual(['i (a)', 'i_new (b)', 'i_old (a, b)']);
    expect(await database.reconciler([index({ definition: '(b, a)' }), ...others], { generation: 3 }).run(inTime())).toMatchObject({
      valid: ['i_new', 'i_old'],
      failed: ['i: i_old, a name that is needed while its definition changes, is taken by another index of the list; rename that'],
    });
    await database.reconciler([index()], { generation: 4 }).run(inTime());
    expect(await names()).toEqual(all);
    expect(database.happened('index dropped')).toEqual([]);
  });

  it('is refused before it is built when the old one could not step aside', async () => {
    await database.reconciler([index()]).run(inTime());
    await database.session.query('CREATE INDEX i_old ON t (a, b)');
    database.events.splice(0);
    expect(await database.reconciler([index({ definition: '(b)' })], { generation: 2 }).run(inTime())).toMatchObject({
      failed: ['i: the old definition would be kept as i_old, which exists: it was not built here; if nobody needs it, run: DROP INDEX CONCURRENTLY "public"."i_old"'],
    });
    expect(database.events).toEqual([]);
    expect(await names()).toEqual(['i (a)', 'i_old (a, b)']);
  });

  it('never renames or drops an index beside it that a constraint stands on, or that has become the replica identity', async () => {
    await database.reconciler([index()]).run(inTime());
    await database.session.query('ALTER TABLE t ADD CONSTRAINT i_new UNIQUE (b)');
    const wanted = [index({ definition: '(b)', unique: true })];
    expect((await database.reconciler(wanted, { generation: 2 }).run(inTime())).failed).toEqual([expect.stringMatching(/^i: i_new, under which it would be built beside the old one, is another index: constraint i_new stands on it/)]);
    await database.session.query(`ALTER TABLE t DROP CONSTRAINT i_new, ALTER a SET NOT NULL; CREATE UNIQUE INDEX i_new ON t (a); COMMENT ON INDEX i_new IS '${builtBesideComment}'; ALTER TABLE t REPLICA IDENTITY USING INDEX i_new`);
    expect((await database.reconciler(wanted, { generation: 2 }).run(inTime())).failed).toEqual([expect.stringMatching(/^i: i_new, .* is another index: it is the replica identity of its table; choose another one first$/)]);
    expect(await names()).toEqual(['i (a)', 'i_new (a)']);
  });

  it('is not swapped in for a catalogue that was given up while an older one was being dropped', async () => {
    await database.reconciler([index()]).run(inTime());
    await database.reconciler([index({ definition: '(b)' })], { generation: 2 }).run(inTime());
    await database.session.query('CREATE INDEX i_new ON t (a, b)'); // so that the swap is all that is left to do
    let accepted = true;
    const reader = await database.oldSnapshot();
    await reader.query('SELECT * FROM t LIMIT 1');
    const reconciler = database.reconciler([index({ definition: '(a, b)' })], { generation: 3, isAccepted: () => Promise.resolve(accepted) });
    await reconciler.tick();
    expect(await reconciler.tick()).toMatchObject({ waiting: ['i'] });
    accepted = false;
    await reader.end();
    while (database.happened('index dropped').length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await reconciler.tick();
    expect(await names()).toEqual(['i (b)', 'i_new (a, b)']);
  });

  it('swaps under readers and writers without making them wait', async () => {
    await database.reconciler([index()]).run(inTime());
    await database.session.query('CREATE UNIQUE INDEX i_new ON t (b)'); // so that the swap is all that is left to do
    const writer = await database.connect();
    await writer.query('BEGIN; UPDATE t SET b = -b WHERE a = 1; SELECT * FROM t WHERE a = 2');
    await database.reconciler([index({ definition: '(b)', unique: true })], { generation: 2 }).run(inTime());
    expect(await names()).toEqual(['i (b)', 'i_old (a)']);
    expect(database.happened('swap put off')).toEqual([]);
    await writer.query('COMMIT');
    await writer.end();
  });
});

describe('an index under another name', () => {
  it('is adopted, not built again', async () => {
    await database.session.query('CREATE INDEX by_a ON t (a)');
    expect(await database.reconciler([index()]).run(inTime())).toMatchObject({ valid: ['i'], adopted: ['i: exists as by_a'] });
    expect(await names()).toEqual(['by_a (a)']);
    expect(await comment('by_a')).toBeNull();
  });
});

describe('a new index', () => {
  it('is built whatever stands under the name that a change of it would need', async () => {
    await database.session.query('CREATE INDEX i_new ON t (b)');
    expect(await database.reconciler([index()]).run(inTime())).toMatchObject({ valid: ['i'], failed: [] });
    expect(await names()).toEqual(['i (a)', 'i_new (b)']);
  });
});

describe('a retired index', () => {
  const retire = (...retired: string[]) => database.reconciler([], { generation: 2 }, retired.map((name) => ({ name })));

  it('is dropped without keeping anybody waiting, if it was built here', async () => {
    await database.reconciler([index(), index({ name: 'kept', definition: '(b)' })]).run(inTime());
    expect(await comment('i')).toBe(builtHereComment);
    const reader = await database.connect();
    await reader.query('BEGIN; SELECT * FROM t LIMIT 1');
    await retire('i').tick();
    await reader.query('COMMIT; BEGIN; INSERT INTO t VALUES (0, 0); COMMIT');
    await reader.end();
    expect(await retire('i').run(inTime())).toMatchObject({ dropping: [], failed: [] });
    expect(await names()).toEqual(['kept (b)']);
  });

  it('stays when it was not built here, or a constraint stands on it, and the deploy is told why', async () => {
    await database.session.query('CREATE INDEX foreign_index ON t (a); ALTER TABLE t ADD CONSTRAINT t_key UNIQUE (b)');
    expect(await retire('foreign_index', 't_key', 'missing').validate()).toEqual([
      'foreign_index: is to be dropped, but it was not built here; if nobody needs it, run: DROP INDEX CONCURRENTLY "public"."foreign_index"',
      't_key: is to be dropped, but constraint t_key stands on it; drop the constraint instead',
    ]);
    await retire('foreign_index', 't_key').run(inTime());
    expect(await names()).toHaveLength(2);
  });

  it('stays while somebody builds on its table by hand, whom a drop that queued behind would cancel by a deadlock', async () => {
    await database.reconciler([index()]).run(inTime());
    const [writer, person] = [await database.openWriter(), await database.connect()];
    const byHand = person.query('CREATE INDEX CONCURRENTLY by_hand ON t (b)');
    byHand.catch(() => undefined); // awaited below
    await database.builderIn(/waiting for writers before build/);
    const reconciler = retire('i');
    expect(await reconciler.tick(500)).toMatchObject({ dropping: ['i'], failed: [] });
    await writer.end();
    await byHand;
    await person.end();
    expect(await reconciler.run(inTime())).toMatchObject({ dropping: [], failed: [] });
    expect(await names()).toEqual(['by_hand (b)']);
  });

  it.each([
    ['its comment, in which it is said for whose it counts', "COMMENT ON INDEX i IS 'of the application'"],
    ['the replica identity of its table', 'ALTER TABLE t REPLICA IDENTITY USING INDEX i'],
  ])('stays when somebody changes %s just before it is dropped', async (_what, sql) => {
    await database.session.query('ALTER TABLE t ALTER a SET NOT NULL');
    await database.reconciler([index({ unique: true })]).run(inTime());
    let asked = 0;
    const isAccepted = async (): Promise<boolean> => {
      asked += 1;
      if (asked === 2) await database.session.query(sql); // first the look asks, then the one that drops
      return true;
    };
    await database.reconciler([], { generation: 2, isAccepted }, [{ name: 'i' }]).tick();
    expect(await names()).toEqual(['i (a)']);
    expect(await retire('i').validate()).toHaveLength(1);
  });

  it('stays in a rollback', async () => {
    await database.reconciler([index()]).run(inTime());
    await database.reconciler([], { generation: 1, rolledBack: true }, [{ name: 'i' }]).tick();
    expect(await names()).toEqual(['i (a)']);
  });
});

describe('an index that was removed from the list', () => {
  it('stays', async () => {
    await database.reconciler([index()]).run(inTime());
    await database.reconciler([], { generation: 2 }).run(inTime());
    expect(await names()).toEqual(['i (a)']);
  });
});

describe('drift', () => {
  it.each([
    ['dropped', 'DROP INDEX i', /^i: was dropped by somebody; to have it built again, deploy again or, if the list stays as it is, run: npm run indexes -- retry; or remove it from the list$/],
    ['changed', 'DROP INDEX i; CREATE INDEX i ON t (b)', /^i: was changed by somebody; has "USING btree \(b\)", wanted is "USING btree \(a\)"; to have it built again, .*; or change the list$/],
    ['made INVALID', "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i'::regclass", /^i: has become INVALID; to have it built again, .*; or run: REINDEX INDEX CONCURRENTLY "public"\."i"$/],
  ])('of an index that was %s is told, left alone, and made right by the next deploy', async (_what, sql, message) => {
    await database.reconciler([index()]).run(inTime());
    await database.session.query(sql);
    database.events.splice(0);
    expect(await database.reconciler([index()]).run(inTime())).toMatchObject({ valid: [], drifted: [expect.stringMatching(message)], failed: [] });
    expect(database.events).toEqual([]);
    expect(await database.reconciler([index()], { generation: 2 }).run(inTime())).toMatchObject({ valid: ['i'], drifted: [] });
    expect(await names()).toContain('i (a)');
  });

  it('tells of what a failed REINDEX CONCURRENTLY left, and does not touch it', async () => {
    await database.reconciler([index()]).run(inTime());
    const reader = await database.oldSnapshot();
    const reindexer = await database.connect();
    const reindex = reindexer.query('REINDEX INDEX CONCURRENTLY i').catch((error: Error) => error.message);
    const pid = await database.builderIn(/waiting for old snapshots/);
    await database.session.query('SELECT pg_cancel_backend($1)', [pid]);
    expect(await reindex).toContain('canceling statement');
    await Promise.all([reader.end(), reindexer.end()]);
    expect(await database.reconciler([index()]).run(inTime())).toMatchObject({
      valid: ['i'],
      leftovers: ['i_ccnew: left INVALID by a REINDEX CONCURRENTLY; run: DROP INDEX CONCURRENTLY "public"."i_ccnew"'],
    });
    expect(await names()).toHaveLength(2);
  });
});
