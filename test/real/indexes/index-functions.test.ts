import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { build } from 'esbuild';
import { Client } from 'pg';

import type { IndexDefinition, IndexWait } from '../../../lib/config/tier-config';
import { AwsEndpoint } from '../../../lib/rehearsal/aws/aws-endpoint';
import { LambdaFunction } from '../../../lib/rehearsal/aws/lambda-function';
import { CertificateAuthority } from '../../../lib/rehearsal/engines/certificate-authority';
import { PostgresServer } from '../../../lib/rehearsal/engines/postgres-server';
import { databaseEnvironment } from '../../../lib/tier/database/database.contract';
import { indexProperties } from '../../../lib/tier/indexes/index-properties';
import { indexesEnvironment, indexesProperties, type IndexSummary } from '../../../lib/tier/indexes/indexes.contract';
import { index } from './index-database';

const address = '127.34.5.1';
const secretArn = 'arn:aws:secretsmanager:eu-central-1:000000000000:secret:indexes-AbCdEf';
const master = { username: 'bookedbarber_master', password: 'secret' };
let postgres: PostgresServer;
let aws: AwsEndpoint;
let directory: string;
let authority: CertificateAuthority;
let session: Client;
const log: string[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'indexes-'));
  authority = await CertificateAuthority.create('indexes test');
  await writeFile(join(directory, 'ca.pem'), authority.certificatePem);
  await build({ entryPoints: [join(__dirname, '../../../lib/tier/indexes/indexes.lambda.ts')], outfile: join(directory, 'index.js'), bundle: true, platform: 'node', external: ['pg-native'], logLevel: 'error' });
  postgres = await PostgresServer.start({
    address,
    tls: authority,
    rds: { masterUsername: master.username, masterPassword: master.password, databaseName: 'bookedbarber' },
    parameters: { fsync: 'off' },
  });
  aws = await AwsEndpoint.start(address, 8200);
  aws.secrets.create(secretArn, JSON.stringify(master));
  aws.rds.set({ identifier: 'primary', host: address, port: postgres.port, parameterGroup: 'group', allocatedStorageGiB: 100 });
  aws.rds.set({ identifier: 'replica', host: address, port: postgres.port, parameterGroup: 'group', parameterApplyStatus: 'pending-reboot' });
});
afterAll(async () => {
  await aws?.stop();
  await postgres?.stop();
  await rm(directory, { recursive: true, force: true });
});

beforeEach(async () => {
  session = new Client({ host: address, port: postgres.port, database: 'bookedbarber', user: master.username, password: master.password, ssl: { ca: authority.certificatePem } });
  session.on('error', () => undefined);
  await session.connect();
  await session.query('DROP SCHEMA IF EXISTS index_migrations CASCADE; DROP TABLE IF EXISTS t; CREATE TABLE t AS SELECT n AS a, n AS b FROM generate_series(1, 1000) AS n');
});
afterEach(() => session.end());

function call(handler: 'onEvent' | 'isComplete' | 'tick', event: object = {}, port = postgres.port, apis: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const environment = {
    NODE_EXTRA_CA_CERTS: '/var/runtime/ca-cert.pem',
    [databaseEnvironment.host]: address,
    [databaseEnvironment.port]: String(port),
    [databaseEnvironment.name]: 'bookedbarber',
    [databaseEnvironment.secretArn]: secretArn,
    [indexesEnvironment.instanceIdentifiers]: 'primary,replica',
    [indexesEnvironment.coresForBuilds]: '2',
    [indexesEnvironment.environmentName]: 'test',
  };
  const surroundings = { names: new Map<string, string>(), runtimeEnvironment: { ...aws.environment, ...apis }, authorityFile: join(directory, 'ca.pem'), onLog: (_function: string, line: string) => void log.push(line) };
  return new LambdaFunction({ functionName: handler, codeDirectory: directory, handler: `index.${handler}`, environment, timeoutSeconds: 60 }, surroundings).invoke(event);
}

const propertiesOf = (indexes: readonly IndexDefinition[], wait: IndexWait = 'started') => ({
  ServiceToken: 'arn:token',
  [indexesProperties.wait]: wait,
  [indexesProperties.tablesAtOnce]: '2',
  ...indexProperties(indexes),
});
const eventOf = (RequestType: 'Create' | 'Update' | 'Delete', ResourceProperties: object) => ({ RequestType, RequestId: randomUUID(), PhysicalResourceId: 'indexes', ResourceProperties });
const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
const finish = async (): Promise<IndexSummary> => (await call('tick')) as IndexSummary;
const definitions = async (): Promise<readonly string[]> =>
  (await session.query<{ name: string }>("SELECT c.relname || ' ' || substr(pg_get_indexdef(c.oid), strpos(pg_get_indexdef(c.oid), '(')) AS name FROM pg_index i JOIN pg_class c ON c.oid = indexrelid WHERE indrelid = 't'::regclass ORDER BY 1")).rows.map(({ name }) => name);

describe('a deploy', () => {
  it('starts the builds, answers at once, and tells what waits for a restart', async () => {
    const event = eventOf('Create', propertiesOf([index(), index({ name: 'later', table: 'not_yet' })]));
    const answer = await call('onEvent', event);
    expect(answer).toMatchObject({
      PhysicalResourceId: 'indexes',
      Data: { Deferred: expect.stringContaining('later: table public.not_yet does not exist'), PendingReboots: 'replica: parameters wait for a restart; run: aws rds reboot-db-instance --db-instance-identifier replica' },
    });
    expect(await call('isComplete', event)).toEqual({ IsComplete: true });
    expect(await finish()).toMatchObject({ valid: ['i'] });
  });

  it('reports the problems of every index at once, and keeps the catalogue that it had', async () => {
    await call('onEvent', eventOf('Create', propertiesOf([index()])));
    const bad = eventOf('Update', propertiesOf([index({ name: 'x', definition: '(nope)' }), index({ name: 'y', definition: '(a' })]));
    await expect(call('onEvent', bad)).rejects.toThrow(/^2 of the indexes cannot be built: x: column "nope" does not exist on public\.t; .*; y: its definition is not what PostgreSQL takes/);
    expect(await finish()).toMatchObject({ valid: ['i'], failed: [] });
  });

  it('refuses 200 indexes that cannot be built in one reason that CloudFormation takes', async () => {
    const indexes = Array.from({ length: 200 }, (_, number) => index({ name: `index_number_${number}`, definition: `(column_that_does_not_exist_${number})` }));
    const refusal = await call('onEvent', eventOf('Create', propertiesOf(indexes))).catch((error: Error) => error.message);
    expect(refusal).toMatch(/^200 of the indexes cannot be built: index_number_0: .*; and \d+ more, see the log$/);
    expect(Buffer.byteLength(String(refusal))).toBeLessThan(3500);
  });

  it('is not disturbed by what is set for its role', async () => {
    for (const setting of ['default_transaction_read_only = on', 'search_path = nowhere', 'row_security = off']) await postgres.query(`ALTER ROLE ${master.username} SET ${setting}`);
    try {
      await session.query('ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY; CREATE POLICY nobody ON t USING (false)');
      await call('onEvent', eventOf('Create', propertiesOf([index()])));
      expect(await finish()).toMatchObject({ valid: ['i'], failed: [] });
    } finally {
      await postgres.query(`ALTER ROLE ${master.username} RESET ALL`);
    }
  });

  it('waits for a database that is being restarted, and so does a rollback', async () => {
    const before = propertiesOf([index()]);
    await call('onEvent', eventOf('Create', before));
    await finish();
    for (const event of [eventOf('Update', propertiesOf([index(), index({ name: 'j', definition: '(b)' })])), eventOf('Update', before)]) {
      await postgres.halt('fast');
      log.splice(0);
      const answer = call('onEvent', event);
      while (!log.some((line) => line.includes('database not reached'))) await soon();
      await postgres.launch();
      expect(await answer).toMatchObject({ PhysicalResourceId: 'indexes' });
    }
    expect(await finish()).toMatchObject({ valid: ['i'], failed: [] });
  });

  it('goes through without the API of RDS, and says what it could not tell', async () => {
    const refusing = { AWS_ENDPOINT_URL_RDS: `http://${address}:8299` };
    expect(await call('onEvent', eventOf('Create', propertiesOf([index()])), postgres.port, refusing)).toMatchObject({
      Data: { PendingReboots: expect.stringMatching(/^restarts that are pending are not known: .*ECONNREFUSED/) },
    });
    expect(log.some((line) => line.includes('RDS does not tell'))).toBe(true);
    expect(await finish()).toMatchObject({ valid: ['i'] });
  });

  it('that waits is complete when every index is VALID', async () => {
    const event = eventOf('Create', propertiesOf([index(), index({ name: 'j', definition: '(b)' })], 'valid'));
    await call('onEvent', event);
    expect(await call('isComplete', event)).toMatchObject({ IsComplete: true, Data: { Valid: '2', Building: '', Waiting: '' } });
  });

  it('that waits gives up after 50 minutes, says how far it is, and another one adopts the build', async () => {
    const reader = await postgres.superuser('bookedbarber');
    await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
    const event = eventOf('Create', propertiesOf([index()], 'valid'));
    await call('onEvent', event);
    while ((await session.query("SELECT FROM pg_stat_progress_create_index WHERE phase = 'waiting for old snapshots'")).rowCount === 0) await soon();
    await session.query("UPDATE index_migrations.catalogue SET accepted_at = now() - interval '51 minutes'");
    await expect(call('isComplete', event)).rejects.toThrow(/^not VALID after 50 minutes; the builds go on, and another deploy adopts them: i: 99 %, waiting for old snapshots; i has waited \d+ s for pid \d+ \(.*idle in transaction, transaction of \d+ s\); writers are not blocked/);
    const builds = () => session.query("SELECT pid FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONCURRENTLY%'");
    const before = (await builds()).rows;
    expect(before).toHaveLength(1);
    await call('onEvent', eventOf('Create', propertiesOf([index()], 'valid')));
    expect((await builds()).rows).toEqual(before);
    await reader.end();
    expect(await finish()).toMatchObject({ valid: ['i'] });
  });
});

describe('the schedule', () => {
  it('is not held up by an API of AWS that never answers, and builds without what RDS would tell', async () => {
    await call('onEvent', eventOf('Create', propertiesOf([index({ name: 'later', table: 'not_yet' })])));
    await session.query('CREATE TABLE not_yet (a int)');
    const hole = createServer();
    await new Promise<void>((resolve) => hole.listen(0, address, resolve));
    const url = `http://${address}:${(hole.address() as AddressInfo).port}`;
    await Promise.all([
      expect(call('tick', {}, postgres.port, { AWS_ENDPOINT_URL_RDS: url })).resolves.toMatchObject({ valid: ['later'] }),
      expect(call('tick', {}, postgres.port, { AWS_ENDPOINT_URL_SECRETS_MANAGER: url })).rejects.toThrow(/3000 ms/),
    ]);
    hole.close();
    await session.query('DROP TABLE not_yet');
  });

  it('writes what is unfinished, failed or drifted as metrics of the environment', async () => {
    await call('onEvent', eventOf('Create', propertiesOf([index(), index({ name: 'later', table: 'not_yet' })])));
    await finish();
    await session.query('DROP INDEX i');
    expect(await finish()).toMatchObject({ drifted: [expect.stringMatching(/^i: was dropped by somebody/)] });
    const metrics = log.filter((line) => line.includes('_aws')).map((line) => JSON.parse(line) as Record<string, unknown>).at(-1);
    expect(metrics).toMatchObject({
      _aws: { CloudWatchMetrics: [{ Namespace: 'BookedBarber/Database', Dimensions: [['Environment']] }] },
      Environment: 'test',
      IndexesDrifted: 1,
      IndexesDeferred: 1,
      IndexesUnfinished: 0,
      IndexesFailed: 0,
      IndexesInvalid: 0,
    });
  });
});

describe('a rollback', () => {
  it('builds nothing, drops nothing, and an old waiter only looks on, even if the request before it came twice', async () => {
    const before = propertiesOf([index()]);
    await call('onEvent', eventOf('Create', before));
    await finish();
    const change = eventOf('Update', propertiesOf([index({ definition: '(b)' }), index({ name: 'j', definition: '(b DESC)' })], 'valid'));
    for (const event of [change, change]) await call('onEvent', event);
    expect((await session.query('SELECT generation, rolled_back FROM index_migrations.catalogue')).rows).toEqual([{ generation: '2', rolled_back: false }]);
    await finish();
    expect(await definitions()).toEqual(['i (b)', 'i_old (a)', 'j (b DESC)']);

    expect(await call('onEvent', eventOf('Update', before))).toEqual({ PhysicalResourceId: 'indexes' });
    expect(await call('isComplete', change)).toEqual({ IsComplete: true });
    expect(await definitions()).toEqual(['i (b)', 'i_old (a)', 'j (b DESC)']);
    expect(await finish()).toMatchObject({ valid: ['i'] });
    expect(await definitions()).toEqual(['i (a)', 'i_old (b)', 'j (b DESC)']);
  });

  it('in the middle of a wait keeps the waiter from starting anything more', async () => {
    const before = propertiesOf([index()]);
    await call('onEvent', eventOf('Create', before));
    await finish();
    const reader = await postgres.superuser('bookedbarber');
    await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
    const change = eventOf('Update', propertiesOf([index(), index({ name: 'j', definition: '(b)' }), index({ name: 'k', definition: '(b DESC)' })], 'valid'));
    await call('onEvent', change);
    log.splice(0);
    const waiter = call('isComplete', change);
    while (!log.some((line) => line.includes('build waits'))) await soon(); // it has looked
    expect(await call('onEvent', eventOf('Update', before))).toEqual({ PhysicalResourceId: 'indexes' });
    await reader.end();
    expect(await waiter).toEqual({ IsComplete: false });
    expect(await call('isComplete', change)).toEqual({ IsComplete: true });
    expect(await definitions()).toEqual(['i (a)', 'j (b)']);
  });

  it('goes through when the definitions could not be judged any more', async () => {
    const before = propertiesOf([index()]);
    await call('onEvent', eventOf('Create', before));
    await session.query('ALTER TABLE t DROP COLUMN a');
    await expect(call('onEvent', eventOf('Update', propertiesOf([index({ name: 'x', definition: '(nope)' })])))).rejects.toThrow('column "nope"');
    expect(await call('onEvent', eventOf('Update', before))).toEqual({ PhysicalResourceId: 'indexes' });
  });
});

describe('a delete', () => {
  it('drops nothing, and answers with the database gone', async () => {
    await call('onEvent', eventOf('Create', propertiesOf([index()])));
    await finish();
    const event = eventOf('Delete', propertiesOf([index()]));
    expect(await call('onEvent', event, 1)).toEqual({ PhysicalResourceId: 'indexes' });
    expect(await call('isComplete', event, 1)).toEqual({ IsComplete: true });
    expect(await definitions()).toEqual(['i (a)']);
  });
});
