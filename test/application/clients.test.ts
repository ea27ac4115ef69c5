import { alternate, type Client, KitClients, node, queueSeconds, unprepared } from './kit-clients';

let kit: KitClients;
beforeAll(async () => {
  kit = await KitClients.start();
});
beforeEach(() => kit.reset());
afterAll(() => kit?.stop());

const pooledClients: readonly Client[] = [
  { driver: 'psycopg2', series: '1.4' },
  { driver: 'psycopg2', series: '2.0' },
  { driver: 'psycopg', series: '2.0' },
  { driver: 'asyncpg', series: '1.4' },
  { driver: 'asyncpg', series: '2.0' },
];
const pythonClients = [...pooledClients, { driver: 'asyncpg alone', series: '2.0' as const }, { driver: 'psycopg alone', series: '2.0' as const }];

/** SQLAlchemy's pool would take its connections in turn, as the pooler does, and each would meet its own server connection again. */
const oneConnection = ({ driver }: Client): object => (driver.endsWith('alone') ? {} : { pool_size: 1 });

/** In the words of each driver. */
const lostConnection = /closed|lost|EOF detected|terminat|not queryable/i;

describe.each(pythonClients)('a client on $driver, SQLAlchemy $series', (client) => {
  it('sees no error when the pooler drains between its pre-ping and its first statement', async () => {
    const answer = await kit.play('drained_before_first_statement', client);
    expect(answer).toMatchObject({ result: [[1]] });
    expect(answer.retries).toBeGreaterThan(0);
  });

  it('is told of an error after its first statement', async () => {
    const { error, retries } = await kit.play('lost_after_first_statement', client);
    expect(error).toMatch(lostConnection);
    expect(retries).toBe(0);
    expect(await kit.bookings()).toEqual([]);
  });

  it('is told of an error at COMMIT, and nothing is done twice', async () => {
    const { error, retries } = await kit.play('lost_at_commit', client);
    expect(error).toMatch(lostConnection);
    expect(retries).toBe(0);
    expect(await kit.bookings()).toEqual([]);
  });

  it('logs in with what the secret holds after a rotation', async () => {
    expect(await kit.play('rotated', client)).toMatchObject({ result: [[['bookedbarber_app']], [[alternate.username]]] });
  });

  it('writes on the primary and reads on the replica, READ ONLY', async () => {
    const { primary, replica } = kit.databases;
    expect(await kit.play('split', client)).toMatchObject({
      result: [
        [false, primary.address, 'off'],
        [true, replica!.address, 'on'],
      ],
    });
  });

  it('notices a host that has vanished', async () => {
    expect(await kit.play('keepalive', client)).toMatchObject({ result: [[1, 30, 5, 3, 10_000]] });
  });

  it('cannot write in a read session', async () => {
    expect((await kit.play('written_in_read_session', client)).error).toMatch(/read-only transaction/);
  });

  it('reads again when the replica is back from a restart, without an error', async () => {
    expect(await kit.play('replica_restarted', client)).toMatchObject({ result: [[[1]], [[1]]] });
  });

  it('prepares statements, more than it keeps', async () => {
    expect(await kit.play('prepared', client, oneConnection(client))).toMatchObject({ result: 8 * ((150 * 149) / 2) });
  });

  if (!pooledClients.includes(client)) return;

  it('has a pool that gives out 20 connections and 40 more, and then says that it has no more', async () => {
    const { result } = await kit.play('crowd', client, { pool_timeout: 1 });
    expect(result).toEqual([60, expect.stringMatching(/QueuePool limit of size 20 overflow 40 reached, connection timed out, timeout 1/)]);
  });

  it('has a pool that recycles a connection after an hour, pings it, and waits for one as long as the pooler would', async () => {
    expect((await kit.play('pool_settings', client)).result).toEqual({ size: 20, overflow: 40, recycle: 3600, pre_ping: true, timeout: 15 });
  });
});

it.each<Client>([
  { driver: 'psycopg', series: '2.0' },
  { driver: 'psycopg alone', series: '2.0' },
])('a client on $driver is told in the words of the server why its connection was ended', async (client) => {
  expect((await kit.play('terminated', client)).error).toMatch(/terminating connection due to administrator command/);
  expect(await kit.bookings()).toEqual([]);
});

it.each<[scenario: string, client: Client | typeof node]>([
  ...pythonClients.filter(({ driver }) => !driver.startsWith('asyncpg')).map((client): [string, Client] => ['caught_error', client]),
  ['caughtError', node],
])('a transaction that cannot be committed, since an error in it was caught, fails (%s, %j)', async (scenario, client) => {
  expect((await kit.play(scenario, client)).error).toMatch(/rolled back: a statement of the transaction had failed/);
  expect(await kit.bookings()).toEqual([]);
});

describe('a client on node-postgres', () => {
  it('sees no error when the pooler drains before its first statement', async () => {
    expect(await kit.play('drainedBeforeFirstStatement', node)).toEqual({ result: [1] });
  });

  it('is told of an error after its first statement, and at COMMIT, and nothing is done twice', async () => {
    expect((await kit.play('lostAfterFirstStatement', node)).error).toMatch(lostConnection);
    expect((await kit.play('lostAtCommit', node)).error).toMatch(lostConnection);
    expect(await kit.bookings()).toEqual([]);
  });

  it('logs in with what the secret holds after a rotation', async () => {
    expect(await kit.play('rotated', node)).toEqual({ result: ['bookedbarber_app', alternate.username] });
  });

  it('writes on the primary, reads on the replica, and cannot write there', async () => {
    const { primary, replica } = kit.databases;
    expect(await kit.play('split', node)).toEqual({ result: [primary.address, replica!.address] });
    expect((await kit.play('writtenInReadSession', node)).error).toMatch(/read-only transaction/);
  });

  it('prepares statements', async () => {
    expect(await kit.play('prepared', node)).toEqual({ result: 2 * ((150 * 149) / 2) });
  });
});

describe('a read while no replica answers', () => {
  it('fails once no new attempt begins, after 10 s, and the last one has waited in the queue of the pooler', async () => {
    const { result } = await kit.play('replica_lost', { driver: 'psycopg2', series: '2.0', pooler: unprepared });
    const [error, seconds] = result as [string, number];
    expect(error).toMatch(lostConnection);
    expect(seconds).toBeGreaterThan(8);
    expect(seconds).toBeLessThan(10 + queueSeconds + 3);
  });
});

describe.each<Client>([
  { driver: 'psycopg', series: '2.0' },
  { driver: 'asyncpg', series: '2.0' },
  { driver: 'asyncpg alone', series: '2.0' },
  { driver: 'psycopg alone', series: '2.0' },
])('a client on $driver, SQLAlchemy $series, of a pooler that follows no prepared statements', (client) => {
  it('prepares none that the next transaction would look for', async () => {
    expect(await kit.play('prepared', { ...client, pooler: unprepared }, oneConnection(client))).toMatchObject({ result: 8 * ((150 * 149) / 2) });
  });
});

describe('SQLAlchemy 1.4 on asyncpg', () => {
  it('says that it cannot do without prepared statements', async () => {
    const { error } = await kit.play('prepared', { driver: 'asyncpg', series: '1.4', pooler: unprepared });
    expect(error).toMatch(/SQLAlchemy 1\.4 gives prepared statements of asyncpg names that other processes use too, and this pooler does not follow them \(max_prepared_statements = 0\); use SQLAlchemy 2, or psycopg2/);
  });
});
