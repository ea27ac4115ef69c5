import { execFile } from 'node:child_process';
import { join } from 'node:path';

import { environments } from '../../../lib/config/environments';
import { loadSample } from '../../../lib/rehearsal/load/sample';

import { indexProperties } from '../../../lib/tier/indexes/index-properties';
import { acceptCatalogue } from '../../../lib/tier/indexes/index-store';
import { index, IndexDatabase, inTime } from './index-database';

let database: IndexDatabase;
const root = join(__dirname, '../../..');

beforeAll(async () => {
  database = await IndexDatabase.start('127.34.6.1');
  await database.begin();
  await loadSample(() => database.connect(), 5000, () => undefined);
  await database.session.query("CREATE ROLE person SUPERUSER LOGIN PASSWORD 'secret'");
});
afterAll(() => database?.stop());

interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function indexes(...args: readonly string[]): Promise<Output> {
  return new Promise((resolve) => {
    execFile('node', ['-r', 'ts-node/register/transpile-only', 'bin/indexes.ts', ...args], { cwd: root, env: { ...process.env, PGPASSWORD: 'secret' } }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}
const url = (): string => `postgresql://person@${database.server.address}:${database.server.port}/${database.name}`;

describe('npm run indexes', () => {
  it('plan says what a deploy would do, with the SQL, and changes nothing', async () => {
    const { idx_users_email: email, ...others } = Object.fromEntries(environments.production.indexes.map((each) => [each.name, each]));
    await database.session.query('CREATE INDEX by_email ON users (email); CREATE INDEX idx_users_location ON users (created_at)');
    const before = await database.indexes();
    const { code, stdout } = await indexes('plan', '--url', url(), '--json');
    expect(code).toBe(0);
    const lines = (JSON.parse(stdout) as { indexes: { index: string; what: string; detail: string }[] }).indexes;
    const find = (name: string) => lines.find((line) => line.index === `public.${name}`)!;
    expect(lines).toHaveLength(Object.keys(others).length + 1);
    expect(find(email!.name)).toMatchObject({ what: 'do nothing, it exists as by_email' });
    expect(find('idx_users_location')).toMatchObject({ what: expect.stringMatching(/^build beside, then swap \(about \d+\.\d KiB\)$/), detail: [
        'CREATE INDEX CONCURRENTLY "idx_users_location_new" ON "public"."users" USING btree (location_id);',
        'ALTER INDEX "public"."idx_users_location" RENAME TO "idx_users_location_old";',
        'ALTER INDEX "public"."idx_users_location_new" RENAME TO "idx_users_location";',
      ].join('\n') });
    expect(find('idx_payments_status')).toMatchObject({ what: expect.stringMatching(/^build \(about \d+\.\d KiB\)$/) });
    expect(await database.indexes()).toEqual(before);
    expect((await database.session.query("SELECT to_regnamespace('index_migrations') IS NULL AS untouched")).rows).toEqual([{ untouched: true }]);
    await database.session.query('DROP INDEX by_email, idx_users_location');
  });

  it('status says how far the last deploy is, and who is waited for', async () => {
    await acceptCatalogue(database.session, indexProperties([index({ name: 'done', table: 'users', definition: '(id, email)' }), index({ name: 'running', table: 'reviews', definition: '(id, rating)' })]), 'request');
    const catalogue = [index({ name: 'done', table: 'users', definition: '(id, email)' }), index({ name: 'running', table: 'reviews', definition: '(id, rating)' })];
    await database.reconciler([catalogue[0]!]).run(inTime());
    const reader = await database.oldSnapshot();
    await database.reconciler(catalogue).tick();
    await database.builderIn(/waiting for old snapshots/);
    await database.session.query("CREATE ROLE stranger LOGIN PASSWORD 'secret'");
    expect(await indexes('status', '--url', url().replace('person@', 'stranger@'))).toMatchObject({ code: 2, stderr: expect.stringMatching(/permission denied for schema index_migrations; look as the role that builds, bookedbarber_indexes,/) });
    const { code, stdout } = await indexes('status', '--url', url());
    expect(code).toBe(0);
    expect(stdout).toMatch(/^public\.done +users +VALID\n    \d+\.\d KiB; built in \d+ s$/m);
    expect(stdout).toMatch(/^public\.running +reviews +building \(99 %\)\n    waiting for old snapshots$/m);
    expect(stdout).toMatch(/running has waited \d+ s for pid \d+ .*writers are not blocked/);
    await reader.end();
  });

  it('retry has what has drifted built again', async () => {
    await database.session.query('DROP INDEX done');
    const before = await database.session.query<{ generation: string }>('SELECT generation FROM index_migrations.catalogue');
    expect(await indexes('retry', '--url', url())).toMatchObject({ code: 0, stdout: expect.stringContaining('within five minutes') });
    const after = await database.session.query<{ generation: string }>('SELECT generation FROM index_migrations.catalogue');
    expect(Number(after.rows[0]!.generation)).toBe(Number(before.rows[0]!.generation) + 1);
    const { stdout } = await indexes('status', '--url', url());
    expect(stdout).toMatch(/^public\.done +users +not built yet$/m);
  });

  it('asks for TLS where the URL does, and refuses a URL that it cannot read', async () => {
    expect(await indexes('plan', '--url', `${url()}?sslmode=require`)).toMatchObject({ code: 2, stderr: expect.stringContaining('does not support SSL') });
    expect(await indexes('plan', '--url', `${url()}?sslmode=sure`)).toMatchObject({ code: 2, stderr: expect.stringContaining('sslmode=sure is none of disable, prefer') });
    expect(await indexes('plan', '--url', 'nonsense')).toMatchObject({ code: 2, stderr: expect.stringContaining('the URL cannot be read; it looks like postgresql://') });
  });

  it('fails with the reason when the database cannot be looked at, or an environment does not exist', async () => {
    expect(await indexes('plan', '--url', 'postgresql://person@127.34.6.99:1/x')).toMatchObject({ code: 2, stderr: expect.stringMatching(/^the database could not be looked at: connect ECONNREFUSED 127\.34\.6\.99:1/) });
    expect(await indexes('plan', '--url', url(), '--environment', 'nowhere')).toMatchObject({ code: 2, stderr: expect.stringContaining("Allowed choices are development, staging, production") });
    expect(await indexes('plan')).toMatchObject({ code: 2, stderr: expect.stringContaining("required option '-u, --url <url>' not specified") });
  });

  it('exits 1 where something is refused', async () => {
    await database.session.query('ALTER TABLE payments RENAME COLUMN status TO state');
    const { code, stdout } = await indexes('plan', '--url', url());
    expect(code).toBe(1);
    expect(stdout).toMatch(/^public\.idx_payments_status +payments +refuse\n    column "status" does not exist on/m);
    expect(stdout).toMatch(/\n\n1 of 13 is refused: a deploy would fail, and build nothing\n$/);
  });
});
