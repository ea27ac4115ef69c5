import { once } from 'node:events';

import { Client } from 'pg';

import { PooledDatabases, password } from '../real/pooler/pooled-databases';
import { PoolerProcess } from '../real/pooler/pooler-process';

let databases: PooledDatabases;
let pooler: PoolerProcess;
let client: Client;
let other: Client;

beforeAll(async () => {
  databases = await PooledDatabases.start('127.38.1', { replica: false });
  await databases.primary.query('GRANT TEMPORARY ON DATABASE bookedbarber TO bookedbarber_app');
});
// The pooler takes two server connections in turn: each transaction meets another one than that before it.
beforeEach(async () => {
  pooler = await PoolerProcess.start('127.38.1.3', databases.environment({ poolSize: 2 * 4, maxTasks: 2, settings: { server_round_robin: '1' } }));
  [client, other] = [await connect(), await connect()];
  await Promise.all([client, other].map((each) => each.query('BEGIN')));
  await Promise.all([client, other].map((each) => each.query('COMMIT')));
});
afterEach(async () => {
  await Promise.all([client, other].map((each) => each.end()));
  await pooler.stop();
});
afterAll(() => databases?.stop());

const connect = () => pooler.connect('bookedbarber_app', password, 'bookedbarber');
const one = async (session: Client, sql: string): Promise<unknown> => (await session.query<{ value: unknown }>(sql)).rows[0]?.value;

async function inTransaction<T>(work: () => Promise<T>, begin = 'BEGIN'): Promise<T> {
  await client.query(begin);
  try {
    return await work();
  } finally {
    await client.query('ROLLBACK');
  }
}

// Each row of the kit's README.
describe('transaction pooling forbids', () => {
  it('to count on the server connection of the transaction before', async () => {
    const backend = () => one(client, 'SELECT pg_backend_pid() AS value');
    expect(await backend()).not.toBe(await backend());
  });

  it('SET and set_config(…, false): they are lost, and somebody else meets them', async () => {
    await client.query("SET work_mem = '7MB'");
    expect(await one(client, "SELECT current_setting('work_mem') AS value")).not.toBe('7MB');
    expect(await one(other, "SELECT current_setting('work_mem') AS value")).toBe('7MB');
    await client.query("SELECT set_config('work_mem', '9MB', false)");
    expect(await one(client, "SELECT current_setting('work_mem') AS value")).not.toBe('9MB');
  });

  it('pg_advisory_lock: who took it cannot give it back', async () => {
    await client.query('SELECT pg_advisory_lock(1)');
    expect(await one(client, 'SELECT pg_advisory_unlock(1) AS value')).toBe(false);
  });

  it('LISTEN: nothing is heard', async () => {
    const heard: unknown[] = [];
    client.on('notification', (notification) => heard.push(notification.channel));
    await client.query('LISTEN bookings');
    await other.query("NOTIFY bookings, 'a'");
    for (let round = 0; round < 4; round++) await client.query('SELECT 1');
    expect(heard).toEqual([]);
  });

  it.each([
    ['temporary tables', 'CREATE TEMP TABLE basket (id int)', 'SELECT * FROM basket', '42P01'],
    ['DECLARE … WITH HOLD', 'DECLARE held CURSOR WITH HOLD FOR SELECT 1', 'FETCH held', '34000'],
    ['PREPARE as SQL', 'PREPARE by_hand AS SELECT 1', 'EXECUTE by_hand', '26000'],
  ])('%s', async (_what, first, second, code) => {
    await client.query(first);
    await expect(client.query(second)).rejects.toMatchObject({ code });
  });

  it('options and other parameters at login', async () => {
    const refused = new Client({ host: pooler.address, port: 6432, user: 'bookedbarber_app', password, database: 'bookedbarber', ssl: { rejectUnauthorized: false }, statement_timeout: 1000 });
    await expect(refused.connect()).rejects.toThrow('unsupported startup parameter: statement_timeout');
  });
});

describe('transaction pooling lets work', () => {
  it('SET LOCAL, an advisory lock of the transaction, savepoints, a cursor and a temporary table within it', async () => {
    const seen = await inTransaction(async () => {
      await client.query("SET LOCAL work_mem = '7MB'");
      await client.query('SELECT pg_advisory_xact_lock(2)');
      await client.query('SAVEPOINT before');
      await expect(client.query('SELECT 1 / 0')).rejects.toThrow('division by zero');
      await client.query('ROLLBACK TO before');
      await client.query('CREATE TEMP TABLE basket ON COMMIT DROP AS SELECT 7 AS value');
      await client.query('DECLARE pages CURSOR FOR SELECT value FROM basket');
      return [await one(client, 'FETCH pages'), await one(client, "SELECT current_setting('work_mem') AS value")];
    });
    expect(seen).toEqual([7, '7MB']);
    expect(await one(client, "SELECT count(*)::int AS value FROM pg_locks WHERE locktype = 'advisory'")).toBe(0);
  });

  it.each(['REPEATABLE READ', 'SERIALIZABLE'])('transactions of isolation level %s', async (level) => {
    expect(await inTransaction(() => one(client, "SELECT current_setting('transaction_isolation') AS value"), `BEGIN ISOLATION LEVEL ${level}`)).toBe(level.toLowerCase());
  });

  it('SELECT … FOR UPDATE', async () => {
    await databases.primary.query('INSERT INTO appointments VALUES (1) ON CONFLICT DO NOTHING', [], 'bookedbarber');
    await inTransaction(async () => {
      await client.query('SELECT FROM appointments WHERE id = 1 FOR UPDATE');
      await expect(other.query('SELECT FROM appointments WHERE id = 1 FOR UPDATE NOWAIT')).rejects.toMatchObject({ code: '55P03' });
    });
  });

  it('COPY', async () => {
    expect((await client.query('COPY (SELECT generate_series(1, 3)) TO STDOUT')).rowCount).toBe(3);
  });

  it('NOTIFY, heard by who listens on the primary itself', async () => {
    const listener = await databases.primary.superuser('bookedbarber');
    await listener.query('LISTEN bookings');
    const heard = once(listener, 'notification');
    await client.query("NOTIFY bookings, 'at nine'");
    expect((await heard)[0]).toMatchObject({ channel: 'bookings', payload: 'at nine' });
    await listener.end();
  });
});
