import { Client } from 'pg';

import { password, PooledDatabases } from '../pooler/pooled-databases';
import { PoolerProcess } from '../pooler/pooler-process';
import { index, IndexDatabase, inSeconds } from './index-database';

let database: IndexDatabase;

beforeAll(async () => {
  database = await IndexDatabase.start('127.34.7.1');
});
afterAll(() => database?.stop());
beforeEach(() => database.begin());

describe('a partitioned table', () => {
  it('is refused with statements that, run by hand, make the index; then it counts as built', async () => {
    await database.session.query(
      `CREATE TABLE t (a int, day date) PARTITION BY RANGE (day);
       CREATE TABLE "T1" PARTITION OF t FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
       CREATE TABLE t2 PARTITION OF t FOR VALUES FROM ('2026-02-01') TO ('2026-03-01') PARTITION BY RANGE (a);
       CREATE TABLE t2_1 PARTITION OF t2 FOR VALUES FROM (0) TO (10)`,
    );
    const [problem] = await database.reconciler([index()]).validate();
    expect(problem).toMatch(/^i: public\.t is partitioned by RANGE \(day\), and PostgreSQL cannot build an index on it concurrently; run by hand:\n/);
    const statements = problem!.split('\n').slice(1);
    expect(statements).toHaveLength(7);
    for (const statement of statements.slice(0, -1)) await database.session.query(statement);
    const [rest] = await database.reconciler([index()]).validate();
    expect(rest).toMatch(/run by hand:\nCREATE INDEX CONCURRENTLY "[^;]*;\nALTER INDEX "public"\."i" ATTACH PARTITION [^;]*;$/);
    await database.session.query(statements.at(-1)!);
    expect(await database.reconciler([index()]).run(inSeconds(5))).toMatchObject({ valid: ['i'], failed: [] });
  });
});

describe('a build that meets a row for which its expression fails', () => {
  it('says so without quoting the row', async () => {
    await database.session.query("CREATE TABLE t (a text); INSERT INTO t VALUES ('secret')");
    const { failed } = await database.reconciler([index({ definition: '((a::int))' })]).run(inSeconds(10));
    expect(failed).toEqual([expect.stringMatching(/^i: the index cannot be computed for some row of public\.t \(SQLSTATE 22P02\)/)]);
    expect(JSON.stringify([failed, database.events])).not.toContain('secret');
  });
});

describe('a build whose function calls what it finds by search_path alone', () => {
  it('says what to do, and is not tried again', async () => {
    await database.session.query(
      `CREATE TABLE t AS SELECT 1 AS a;
       CREATE FUNCTION inner_one(n int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT n';
       CREATE FUNCTION outer_one(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN inner_one(n); END'`,
    );
    const { failed } = await database.reconciler([index({ definition: '(outer_one(a))' })]).run(inSeconds(10));
    expect(failed).toEqual([expect.stringMatching(/^i: function inner_one\(integer\) does not exist \(SQLSTATE 42883\); while PostgreSQL builds, a function sees pg_catalog alone/)]);
    expect(database.happened('build started')).toHaveLength(1);
    await database.session.query('ALTER FUNCTION outer_one SET search_path = public');
    expect(await database.reconciler([index({ definition: '(outer_one(a))' })], { generation: 2 }).run(inSeconds(10))).toMatchObject({ valid: ['i'], failed: [] });
  });
});

describe('a catalogue that is no longer the accepted one', () => {
  it('is looked at, and nothing is built for it', async () => {
    await database.session.query('CREATE TABLE t (a int)');
    expect(await database.reconciler([index()], { isAccepted: () => Promise.resolve(false) }).run(inSeconds(5))).toMatchObject({ superseded: true, waiting: ['i'] });
    expect(await database.indexes()).toEqual([]);
  });
});

describe('a definition', () => {
  it('that names a tablespace is refused; one that ends in a comment, or calls columns by the name of their table, is none the worse', async () => {
    await database.session.query('CREATE TABLE t (a text)');
    expect(await database.reconciler([index({ definition: '(a) TABLESPACE pg_global' })]).validate()).toHaveLength(1);
    expect(await database.reconciler([index({ definition: '(lower(t.a)) -- a comment' })]).run(inSeconds(5))).toMatchObject({ valid: ['i'], failed: [] });
  });
});

describe('a server that is not the primary itself', () => {
  const validate = (connect: () => Promise<Client>) => database.reconciler([], { connect }).validate();

  it('is refused if it is a standby', async () => {
    const standby = await database.server.startStandby({ address: '127.34.7.2' });
    try {
      await expect(validate(() => standby.superuser())).rejects.toThrow('the endpoint is a replica; indexes are built on the primary, and replicas follow');
    } finally {
      await standby.stop();
    }
  });

  it('is refused if there is a pooler between', async () => {
    const databases = await PooledDatabases.start('127.34.2', { replica: false });
    const pooler = await PoolerProcess.start('127.34.2.5', databases.environment());
    const through = async (): Promise<Client> => {
      const client = new Client({ host: pooler.address, port: 6432, user: 'bookedbarber_app', password, database: 'bookedbarber', ssl: { rejectUnauthorized: false } });
      await client.connect();
      return client;
    };
    try {
      await expect(validate(through)).rejects.toThrow('there is a pooler between; a build needs a session of its own: use the endpoint of the instance itself');
    } finally {
      await pooler.stop();
      await databases.stop();
    }
  });
});
