import { spawn } from 'node:child_process';
import { join } from 'node:path';

import type { Client } from 'pg';

import { PostgresServer } from '../../../lib/rehearsal/engines/postgres-server';
import { IndexReconciler } from '../../../lib/tier/indexes/index-reconciler';

const index = { name: 'i', schema: 'public', table: 't', unique: false, definition: '(a)' };
let server: PostgresServer;
let session: Client;

beforeAll(async () => {
  server = await PostgresServer.start({ address: '127.34.0.3', parameters: { fsync: 'off' } });
  session = await server.superuser();
  await session.query("CREATE ROLE builder SUPERUSER LOGIN PASSWORD 'secret'");
  await session.query('CREATE TABLE t AS SELECT n AS a FROM generate_series(1, 1000) AS n');
});
afterAll(async () => {
  await session?.end();
  await server?.stop();
});

/** A process that ticks once and then does nothing until it is killed, as a function that is frozen. */
const builderScript = `
  const { Client } = require('pg');
  const { IndexReconciler } = require('./lib/tier/indexes/index-reconciler');
  const connect = async () => {
    const client = new Client({ host: process.argv[1], user: 'builder', password: 'secret', database: 'postgres', application_name: 'builder' });
    client.on('error', () => {});
    await client.connect();
    return client;
  };
  new IndexReconciler({ connect, catalogue: { indexes: [${JSON.stringify(index)}], retired: [] }, generation: 1, log: () => {} }).tick().then((summary) => console.log(JSON.stringify(summary)));
  setInterval(() => {}, 1000);
`;

describe('a build whose process is killed', () => {
  it('goes on in the server, is adopted by a later tick, and is started once only', async () => {
    // An old snapshot keeps the build from ending while its process lives.
    const reader = await server.superuser();
    await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
    const builder = spawn('node', ['-r', 'ts-node/register/transpile-only', '-e', builderScript, server.address], { cwd: join(__dirname, '../../..'), stdio: ['ignore', 'pipe', 'inherit'] });
    const [summary] = await new Promise<Buffer[]>((resolve) => builder.stdout.once('data', (...data: Buffer[]) => resolve(data)));
    expect(JSON.parse(summary!.toString())).toMatchObject({ building: ['i'], valid: [] });
    const backend = async () => (await session.query<{ pid: number }>("SELECT pid FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONCURRENTLY%'")).rows;
    const before = await backend();
    expect(before).toHaveLength(1);

    builder.kill('SIGKILL');
    await new Promise((resolve) => builder.once('exit', resolve));
    const events: unknown[] = [];
    const next = new IndexReconciler({ connect: () => server.superuser(), catalogue: { indexes: [index], retired: [] }, generation: 1, log: (event) => void events.push(event) });
    expect(await next.tick()).toMatchObject({ building: ['i'] });
    expect(await backend()).toEqual(before);

    await reader.end();
    expect(await next.run(new Date(Date.now() + 20_000))).toMatchObject({ valid: ['i'], building: [], failed: [] });
    expect(events.filter((event) => (event as { event: string }).event === 'build started')).toEqual([]);
  });
});
