import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { build } from 'esbuild';

import { AwsEndpoint } from '../../../lib/rehearsal/aws/aws-endpoint';
import { LambdaFunction } from '../../../lib/rehearsal/aws/lambda-function';
import { CertificateAuthority } from '../../../lib/rehearsal/engines/certificate-authority';
import { poolerVerificationEnvironment } from '../../../lib/tier/pooler/pooler.contract';
import { smokeCheckEnvironment } from '../../../lib/tier/smoke-check/smoke-check.contract';
import { smokeTableStatements } from '../../../lib/tier/smoke-check/smoke-table';
import { password, PooledDatabases } from '../pooler/pooled-databases';
import { PoolerProcess } from '../pooler/pooler-process';

const secretArn = 'arn:aws:secretsmanager:eu-central-1:000000000000:secret:application-AbCdEf';
let databases: PooledDatabases;
let pooler: PoolerProcess;
let aws: AwsEndpoint;
let directory: string;
const log: string[] = [];

beforeAll(async () => {
  databases = await PooledDatabases.start('127.35.4', { replica: true });
  for (const { sql } of smokeTableStatements('bookedbarber_app')) await databases.primary.query(sql, [], 'bookedbarber');
  await databases.replica!.waitForReplay();
  pooler = await PoolerProcess.start('127.35.4.11', databases.environment());
  aws = await AwsEndpoint.start('127.35.4.12', 8200);
  aws.rds.set({ identifier: 'primary', host: 'primary.internal', port: 5432, parameterGroup: 'group', parameterApplyStatus: 'pending-reboot' });
  directory = await mkdtemp(join(tmpdir(), 'smoke-check-'));
  await build({ entryPoints: [join(__dirname, '../../../lib/tier/smoke-check/smoke-check.lambda.ts')], outfile: join(directory, 'index.js'), bundle: true, platform: 'node', external: ['pg-native'], logLevel: 'error' });
});
afterAll(async () => {
  await pooler?.stop();
  await aws?.stop();
  await databases?.stop();
  await rm(directory, { recursive: true, force: true });
});
beforeEach(() => {
  log.splice(0);
  aws.secrets.create(secretArn, JSON.stringify({ username: 'bookedbarber_app', password }));
});

const properties = { ServiceToken: 'arn:token', TaskDefinition: 'task:1' };
const create = { RequestType: 'Create', ResourceProperties: properties };

function check(event: object, readOnlyDatabase = 'bookedbarber_ro', host = pooler.address, runtimeEnvironment: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const environment = {
    [smokeCheckEnvironment.poolerHost]: host,
    [smokeCheckEnvironment.poolerPort]: '6432',
    [smokeCheckEnvironment.database]: 'bookedbarber',
    [smokeCheckEnvironment.readOnlyDatabase]: readOnlyDatabase,
    [smokeCheckEnvironment.secretArn]: secretArn,
    [smokeCheckEnvironment.instanceIdentifiers]: 'primary',
  };
  const surroundings = { names: new Map<string, string>(), runtimeEnvironment: { ...aws.environment, ...runtimeEnvironment }, authorityFile: '', onLog: (_function: string, line: string) => void log.push(line) };
  // Long enough for one attempt beside what it keeps for its answer.
  return new LambdaFunction({ functionName: 'check', codeDirectory: directory, handler: 'index.handler', environment, timeoutSeconds: 19 }, surroundings).invoke(event);
}

describe('the smoke check', () => {
  it('lets a deploy through that writes and reads, leaves one row in a schema of its own, and warns of a pending restart', async () => {
    const relations = () => databases.primary.query("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace <> 'smoke_check'::regnamespace ORDER BY 1", [], 'bookedbarber');
    const before = await relations();
    await check(create);
    const answer = await check(create);
    expect(answer).toEqual({
      PhysicalResourceId: expect.stringMatching(/^proven-[0-9a-f]{16}$/),
      Data: { Warnings: 'primary: parameters wait for a restart; run: aws rds reboot-db-instance --db-instance-identifier primary' },
    });
    expect(await databases.primary.query("SELECT count(*)::int AS rows, max(written_at) > now() - interval '1 minute' AS recent FROM smoke_check.written", [], 'bookedbarber')).toEqual([{ rows: 1, recent: true }]);
    expect(await relations()).toEqual(before);
  });

  it('lets a deploy through even if nobody says whether a restart is pending', async () => {
    const hole = createServer();
    await new Promise<void>((resolve) => hole.listen(0, '127.35.4.13', resolve));
    const answer = await check(create, 'bookedbarber_ro', pooler.address, { AWS_ENDPOINT_URL_RDS: `http://127.35.4.13:${(hole.address() as AddressInfo).port}` });
    hole.close();
    expect(answer).toMatchObject({ Data: { Warnings: expect.stringMatching(/3000 ms requestTimeout/) } });
  });

  it('stops one whose password is refused', async () => {
    aws.secrets.create(secretArn, JSON.stringify({ username: 'bookedbarber_app', password: 'wrong' }));
    await expect(check(create)).rejects.toThrow(/^cannot write and read back on bookedbarber: SASL authentication failed; .*; cannot read on bookedbarber_ro: SASL authentication failed/);
  });

  it('stops one whose read-only alias leads to the primary, where writes are taken', async () => {
    await expect(check(create, 'bookedbarber')).rejects.toThrow('cannot read on bookedbarber: it leads to the primary, not to a replica; cannot have a write refused on bookedbarber: a write was taken');
  });

  it('stops one whose pooler does not answer', async () => {
    await expect(check(create, 'bookedbarber_ro', '127.35.4.99')).rejects.toThrow('cannot write and read back on bookedbarber: connect ECONNREFUSED 127.35.4.99:6432');
  });

  it('stops one that leaves an INVALID index, but not one whose index is being built', async () => {
    const session = await databases.primary.superuser('bookedbarber');
    await session.query("CREATE INDEX broken ON appointments (id); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken'::regclass");
    await expect(check(create)).rejects.toThrow(/^cannot find every index VALID on bookedbarber: broken is INVALID/);
    await session.query("SELECT pg_advisory_lock(1768843364, 'appointments'::regclass::oid::int)");
    await expect(check(create)).resolves.toBeDefined();
    await session.query('DROP INDEX broken');
    await session.end();
  });

  it('accepts an index that PostgreSQL is building at that moment', async () => {
    const [reader, builder] = [await databases.primary.superuser('bookedbarber'), await databases.primary.superuser('bookedbarber')];
    await reader.query('BEGIN; LOCK TABLE appointments IN ROW EXCLUSIVE MODE');
    const building = builder.query('CREATE INDEX CONCURRENTLY slow_to_build ON appointments (id)');
    const isInvalid = async () => (await reader.query("SELECT FROM pg_class JOIN pg_index ON indexrelid = oid WHERE relname = 'slow_to_build' AND NOT indisvalid")).rowCount === 1;
    while (!(await isInvalid())) await new Promise((resolve) => setTimeout(resolve, 20));
    await expect(check(create)).resolves.toBeDefined();
    await reader.query('COMMIT');
    await building;
    await builder.query('DROP INDEX slow_to_build');
    await Promise.all([reader.end(), builder.end()]);
  });

  it('stops one whose bootstrap of roles has not made its table', async () => {
    await databases.primary.query('ALTER SCHEMA smoke_check RENAME TO elsewhere', [], 'bookedbarber');
    await expect(check(create)).rejects.toThrow('cannot write and read back on bookedbarber: relation "smoke_check.written" does not exist');
    await databases.primary.query('ALTER SCHEMA elsewhere RENAME TO smoke_check', [], 'bookedbarber');
    await databases.replica!.waitForReplay();
  });

  it('only looks on when CloudFormation goes back to what was proven, and when it deletes', async () => {
    const { PhysicalResourceId } = (await check(create)) as { PhysicalResourceId: string };
    const back = { RequestType: 'Update', PhysicalResourceId, ResourceProperties: properties };
    expect(await check(back, 'bookedbarber')).toMatchObject({ PhysicalResourceId });
    expect(log.join('\n')).toContain('seen on the way back, and let through');
    const onward = { ...back, ResourceProperties: { ...properties, TaskDefinition: 'task:2' } };
    await expect(check(onward, 'bookedbarber')).rejects.toThrow('a write was taken');
    expect(await check({ ...back, RequestType: 'Delete' }, 'bookedbarber', '127.35.4.99')).toEqual({ PhysicalResourceId });
  });

  it('verifies the pooler where the template says by what, and else says that it did not', async () => {
    await check(create);
    expect(log.join('\n')).toContain('pooler not verified');
    log.splice(0);
    const authorityFile = join(directory, 'team.pem');
    await writeFile(authorityFile, (await CertificateAuthority.create('the team')).certificatePem);
    const verification = { [poolerVerificationEnvironment.hostName]: 'pooler.internal', [poolerVerificationEnvironment.authorityFile]: authorityFile };
    await expect(check(create, 'bookedbarber_ro', pooler.address, verification)).rejects.toThrow("the pooler's certificate is refused: self-signed certificate; it must be for pooler.internal");
    expect(log.join('\n')).not.toContain('pooler not verified');
  });
});
