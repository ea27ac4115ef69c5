import { Client } from 'pg';

import { password, PooledDatabases } from '../pooler/pooled-databases';
import { PoolerProcess } from '../pooler/pooler-process';
import { quoteLiteral } from '../../../lib/tier/database/sql-quoting';
import { longestIdentifierBytes } from '../../../lib/tier/indexes/index-catalogue';
import { index, IndexDatabase, inTime } from './index-database';

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
    expect(await database.reconciler([index()]).run(inTime())).toMatchObject({ valid: ['i'], failed: [] });
  });

  it('takes a unique index only with its partition key, as PostgreSQL itself does', async () => {
    await database.session.query("CREATE TABLE t (a int, day date) PARTITION BY RANGE (day); CREATE TABLE t1 PARTITION OF t FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')");
    const validate = (definition: string) => database.reconciler([index({ unique: true, definition })]).validate();
    expect(await validate('(a)')).toEqual([expect.stringMatching(/^i: public\.t is partitioned by RANGE \(day\), .*; nor can a unique index be built on it at all that does not contain the partition key: add its columns, or index each partition$/)]);
    await expect(database.session.query('CREATE UNIQUE INDEX i ON ONLY t (a)')).rejects.toThrow('unique constraint on partitioned table must include all partitioning columns');
    const [problem] = await validate('(a, day)');
    for (const statement of problem!.split('\n').slice(1)) await database.session.query(statement);
    expect(await database.reconciler([index({ unique: true, definition: '(a, day)' })]).run(inTime())).toMatchObject({ valid: ['i'], failed: [] });
  });
});

describe('a role that lacks a right', () => {
  const asBuilder = async (): Promise<Client> => {
    const client = new Client({ host: database.server.address, port: database.server.port, user: 'weak_builder', password, database: database.name });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };

  beforeAll(async () => {
    await database.server.query(`CREATE ROLE weak_builder LOGIN PASSWORD ${quoteLiteral(password)}`);
    await database.server.query('CREATE ROLE app; CREATE ROLE stranger');
    await database.server.query('GRANT app TO weak_builder');
  });
  beforeEach(() => database.session.query(`CREATE TABLE t AS SELECT 1 AS a; ALTER TABLE t OWNER TO app; GRANT CREATE ON DATABASE ${database.name} TO weak_builder`));

  const validate = () => database.reconciler([index()], { connect: asBuilder }).validate();

  it('on the table, its schema, or temporary tables is told, with what to run', async () => {
    expect(await validate()).toEqual(['i: role weak_builder may not create in schema public; run: GRANT CREATE, USAGE ON SCHEMA "public" TO "weak_builder"']);
    await database.session.query('GRANT CREATE, USAGE ON SCHEMA "public" TO "weak_builder"');
    expect(await validate()).toEqual([]);
    await database.session.query(`REVOKE TEMPORARY ON DATABASE ${database.name} FROM PUBLIC`);
    expect(await validate()).toEqual([`i: the role that builds lacks a right: permission denied to create temporary tables in database "${database.name}"; grant it`]);
    await database.session.query('ALTER TABLE t OWNER TO stranger');
    expect(await validate()).toEqual(['i: public.t belongs to stranger, and role weak_builder must have the rights of its owner; run: GRANT "stranger" TO "weak_builder", or ALTER TABLE "public"."t" OWNER TO a role that it belongs to']);
  });

  it('that is taken from it just before it builds is told, and the build is not tried again', async () => {
    await database.session.query('GRANT CREATE ON SCHEMA public TO weak_builder');
    let asked = 0;
    const isAccepted = async (): Promise<boolean> => {
      asked += 1;
      // First the look asks, then the builder, which has the lock of the table by now.
      if (asked === 2) await database.session.query('ALTER TABLE t OWNER TO stranger');
      return true;
    };
    const reconciler = database.reconciler([index()], { connect: asBuilder, isAccepted });
    await reconciler.tick();
    expect(database.happened('build failed')).toEqual([{ event: 'build failed', index: 'i', table: 't', next: 'not tried again', problem: 'must be owner of table t; the role that builds must have the rights of the owner of public.t, and functions of the definition run with the rights of that owner alone: grant what is missing, then deploy again or, if the list stays as it is, run: npm run indexes -- retry' }]);
    expect(await database.indexes()).toEqual([]);
  });

  it('of the owner, which a function of the definition needs, is told', async () => {
    await database.session.query("CREATE TABLE rates AS SELECT 1 AS rate; CREATE FUNCTION rate(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN n * (SELECT rate FROM public.rates); END'");
    expect((await database.reconciler([index({ definition: '(rate(a))' })]).run(inTime())).failed).toEqual([expect.stringMatching(/^i: permission denied for table rates; .*functions of the definition run with the rights of that owner alone: grant what is missing, then deploy again/)]);
    expect(database.happened('build started')).toHaveLength(1);
  });
});

describe('a name', () => {
  it('that PostgreSQL would cut is refused before anything is looked for under it', async () => {
    expect((await database.session.query<{ max_identifier_length: string }>('SHOW max_identifier_length')).rows).toEqual([{ max_identifier_length: String(longestIdentifierBytes) }]);
    const [name, table] = ['n'.repeat(64), 'ü'.repeat(32)];
    const problems = ['name', 'table', 'name'].map((what) => expect.stringMatching(new RegExp(`its ${what} is 64 bytes long; PostgreSQL would cut it at 63: shorten it$`)));
    expect(await database.reconciler([index({ name }), index({ table })], {}, [{ name: 'r'.repeat(64) }]).validate()).toEqual(problems);
  });
});

describe('an index of a constraint', () => {
  it('stays when the list wants another definition under its name', async () => {
    await database.session.query('CREATE TABLE t (a int, b int, CONSTRAINT i UNIQUE (b))');
    const before = await database.indexes();
    const { failed } = await database.reconciler([index({ unique: true })]).run(inTime());
    expect(failed).toEqual(['i: has "UNIQUE USING btree (b)", wanted is "UNIQUE USING btree (a)", and constraint i stands on it; give the new definition a name of its own']);
    expect(await database.indexes()).toEqual(before);
  });
});

describe('a build that meets a row for which its expression fails', () => {
  it('says so without quoting the row', async () => {
    await database.session.query("CREATE TABLE t (a text); INSERT INTO t VALUES ('secret')");
    const { failed } = await database.reconciler([index({ definition: '((a::int))' })]).run(inTime());
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
    const { failed } = await database.reconciler([index({ definition: '(outer_one(a))' })]).run(inTime());
    expect(failed).toEqual([expect.stringMatching(/^i: function inner_one\(integer\) does not exist \(SQLSTATE 42883\); while PostgreSQL builds, a function sees pg_catalog alone/)]);
    expect(database.happened('build started')).toHaveLength(1);
    await database.session.query('ALTER FUNCTION outer_one SET search_path = public');
    expect(await database.reconciler([index({ definition: '(outer_one(a))' })], { generation: 2 }).run(inTime())).toMatchObject({ valid: ['i'], failed: [] });
  });
});

describe('a catalogue that is no longer the accepted one', () => {
  it('is looked at, and nothing is built for it', async () => {
    await database.session.query('CREATE TABLE t (a int)');
    expect(await database.reconciler([index()], { isAccepted: () => Promise.resolve(false) }).run(inTime())).toMatchObject({ superseded: true, waiting: ['i'] });
    expect(await database.indexes()).toEqual([]);
  });
});

describe('a definition', () => {
  it('that names a tablespace is refused; one that ends in a comment, or calls columns by the name of their table, is none the worse', async () => {
    await database.session.query('CREATE TABLE t (a text)');
    expect(await database.reconciler([index({ definition: '(a) TABLESPACE pg_global' })]).validate()).toHaveLength(1);
    expect(await database.reconciler([index({ definition: '(lower(t.a)) -- a comment' })]).run(inTime())).toMatchObject({ valid: ['i'], failed: [] });
  });
});

describe('a session that nothing can be built in', () => {
  const validate = (connect: () => Promise<Client>) => database.reconciler([], { connect }).validate();

  it('is refused if it is inside a transaction', async () => {
    const connect = async (): Promise<Client> => {
      const client = await database.connect();
      await client.query('BEGIN');
      return client;
    };
    await expect(validate(connect)).rejects.toThrow('the session is inside a transaction, as behind a pooler; use the endpoint of the instance itself');
  });

  it('is refused if it is on a standby', async () => {
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
