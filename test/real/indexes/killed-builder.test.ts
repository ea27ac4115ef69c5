import { spawn } from 'node:child_process';
import { join } from 'node:path';

import type { Client } from 'pg';

import { catalogueOf, index, IndexDatabase, inTime } from './index-database';

let database: IndexDatabase;

beforeAll(async () => {
  database = await IndexDatabase.start('127.34.0.3');
});
afterAll(() => database?.stop());
beforeEach(() => database.begin());

/** A look that starts a build, by a client that can die in the middle of it. */
function startBuilding(generation = 1): { readonly ticking: Promise<unknown>; readonly die: () => void } {
  const sockets: { destroy(): void }[] = [];
  const connect = async (): Promise<Client> => {
    const client = await database.connect();
    sockets.push((client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream);
    return client;
  };
  const ticking = database.reconciler([index()], { connect, generation }).tick().catch(() => undefined);
  return { ticking, die: () => sockets.forEach((socket) => socket.destroy()) };
}

/** The session that builds, stopped in the middle of a phase; undefined if it was over too soon for that. */
async function stoppedIn(phase: string): Promise<number | undefined> {
  const look = async () => (await database.session.query<{ pid: number | null; valid: boolean }>(
    `SELECT (SELECT pid FROM pg_stat_progress_create_index WHERE phase = $1),
            EXISTS (SELECT FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE c.relname = 'i' AND indisvalid) AS valid`, [phase])).rows[0]!; // prettier-ignore
  for (;;) {
    const { pid, valid } = await look();
    if (valid) return undefined;
    if (pid === null) continue;
    process.kill(pid, 'SIGSTOP');
    if ((await look()).pid === pid) return pid;
    process.kill(pid, 'SIGCONT');
  }
}

/** A process that ticks once and then does nothing until it is killed, as a function that is frozen. */
const builderScript = `
  const { Client } = require('pg');
  const { IndexReconciler } = require('./lib/tier/indexes/index-reconciler');
  const connect = async () => {
    const client = new Client({ host: process.argv[1], user: 'builder', password: 'secret', database: process.argv[2] });
    client.on('error', () => {});
    await client.connect();
    return client;
  };
  new IndexReconciler({ connect, catalogue: ${JSON.stringify(catalogueOf([index()]))}, generation: 1, log: () => {} }).tick().then((summary) => console.log(JSON.stringify(summary)));
  setInterval(() => {}, 1000);
`;

describe('a build whose process is killed', () => {
  it('goes on in the server, is adopted by a later tick, and is started once only', async () => {
    await database.session.query("CREATE ROLE builder SUPERUSER LOGIN PASSWORD 'secret'; CREATE TABLE t AS SELECT n AS a FROM generate_series(1, 1000) AS n");
    // An old snapshot keeps the build from ending while its process lives.
    const reader = await database.oldSnapshot();
    const builder = spawn('node', ['-r', 'ts-node/register/transpile-only', '-e', builderScript, database.server.address, database.name], { cwd: join(__dirname, '../../..'), stdio: ['ignore', 'pipe', 'inherit'] });
    const [summary] = await new Promise<Buffer[]>((resolve) => builder.stdout.once('data', (...data: Buffer[]) => resolve(data)));
    expect(JSON.parse(summary!.toString())).toMatchObject({ building: ['i'], valid: [] });
    const backend = async () => (await database.session.query<{ pid: number }>("SELECT pid FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONCURRENTLY%'")).rows;
    await database.builderIn(/waiting for old snapshots/);
    const before = await backend();
    expect(before).toHaveLength(1);

    builder.kill('SIGKILL');
    await new Promise((resolve) => builder.once('exit', resolve));
    const next = database.reconciler([index()]);
    expect(await next.tick()).toMatchObject({ building: ['i'] });
    expect(await backend()).toEqual(before);

    await reader.end();
    expect(await next.run(inTime())).toMatchObject({ valid: ['i'], building: [], failed: [] });
    expect(database.happened('build started')).toEqual([]);
  });
});

describe('a build whose client is gone', () => {
  it.each(['waiting for writers before build', 'waiting for writers before validation', 'waiting for old snapshots'])('goes on while it is %s, and is VALID in the end', async (phase) => {
    await database.session.query('CREATE TABLE t AS SELECT n AS a FROM generate_series(1, 1000) AS n');
    const holders = [phase === 'waiting for old snapshots' ? await database.oldSnapshot() : await database.openWriter()];
    const { ticking, die } = startBuilding();
    if (phase === 'waiting for writers before validation') holders.push(await database.nextWriter(holders[0]!));
    await database.builderIn(new RegExp(phase));
    die();
    await ticking;
    for (const holder of holders) await holder.end();
    expect(await database.reconciler([index()]).run(inTime())).toMatchObject({ valid: ['i'], failed: [] });
    expect(database.happened('build started')).toHaveLength(1);
    // It has not failed, and nobody is told so.
    expect(database.happened('build failed')).toEqual([]);
    expect(database.happened('build out of sight')).toEqual([expect.objectContaining({ index: 'i', next: 'it goes on if its server does; the next look tells' })]);
  });

  it('goes on in each phase that computes, and is VALID in the end', async () => {
    await database.session.query('CREATE TABLE t AS SELECT random() AS a FROM generate_series(1, 300000)');
    const phases = [
      'building index: scanning table', 'building index: sorting live tuples', 'building index: loading tuples in tree',
      'index validation: scanning index', 'index validation: sorting tuples', 'index validation: scanning table',
    ]; // prettier-ignore
    let generation = 0;
    for (let done = 0; done < phases.length; ) {
      generation += 1;
      database.events.splice(0);
      const { ticking, die } = startBuilding(generation);
      const pid = await stoppedIn(phases[done]!);
      die();
      await ticking;
      if (pid !== undefined) process.kill(pid, 'SIGCONT');
      expect(await database.reconciler([index()], { generation }).run(inTime())).toMatchObject({ valid: ['i'], failed: [] });
      expect(database.happened('build started')).toHaveLength(1);
      await database.session.query('DROP INDEX i');
      // Else the phase was over before it could be stopped: once more.
      if (pid !== undefined) done += 1;
    }
  });
});
