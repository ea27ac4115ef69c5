import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { synthesize } from '../../lib/rehearsal/synthesize';
import { type Break, breakAssembly, ofType } from './broken-assembly';
import { type Finished, rehearse } from './rehearse-command';

interface TaskDefinition {
  readonly ContainerDefinitions: readonly {
    Environment: { Name: string; Value: unknown }[];
    Secrets: { Name: string; ValueFrom: unknown }[];
  }[];
}

const small = ['--environment', 'staging', '--quick', '--rows', '100000'];
let directory: string;
let temporary: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'broken-'));
  temporary = join(directory, 'tmp');
  mkdirSync(temporary);
  for (const path of [directory, temporary]) chmodSync(path, 0o755); // servers run as nobody
  await synthesize('staging', join(directory, 'whole'), new AbortController().signal);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function rehearseBroken(name: string, change: Break): Promise<Finished> {
  const assembly = join(directory, name);
  breakAssembly(join(directory, 'whole'), assembly, change);
  return rehearse([...small, '--assembly', assembly, '--report', join(directory, `${name}-report`)], { temporary });
}

const container = (change: (container: TaskDefinition['ContainerDefinitions'][number]) => void) =>
  ofType<TaskDefinition>('AWS::ECS::TaskDefinition', ({ ContainerDefinitions }) => ContainerDefinitions.forEach(change));

describe('a template that is broken on purpose fails its rehearsal, and the first line says what', () => {
  it('a value that PostgreSQL does not take for a parameter', async () => {
    const { status, firstLine, left } = await rehearseBroken('parameter', ofType<{ Parameters: Record<string, string> }>('AWS::RDS::DBParameterGroup', ({ Parameters }) => (Parameters.work_mem = 'plenty')));
    expect(firstLine).toMatch(/invalid value for parameter "work_mem": "plenty"/);
    expect(status).toBe(2);
    expect(left).toEqual([]);
  });

  it('a parameter that PostgreSQL does not know', async () => {
    const { status, firstLine, left } = await rehearseBroken('name', ofType<{ Parameters: Record<string, string> }>('AWS::RDS::DBParameterGroup', ({ Parameters }) => (Parameters.work_memory = '4096')));
    expect(firstLine).toMatch(/unrecognized configuration parameter "work_memory"/);
    expect(status).toBe(2);
    expect(left).toEqual([]);
  });

  it('a key that the secret does not have', async () => {
    const { status, firstLine, left } = await rehearseBroken(
      'key',
      ofType<{ MasterUserPassword?: unknown }>('AWS::RDS::DBInstance', (properties) => {
        const text = JSON.stringify(properties.MasterUserPassword ?? null).replace(':SecretString:password:', ':SecretString:passwort:');
        if (properties.MasterUserPassword !== undefined) properties.MasterUserPassword = JSON.parse(text);
      }),
    );
    expect(firstLine).toMatch(/has no JSON key "passwort"/);
    expect(status).toBe(2);
    expect(left).toEqual([]);
  });

  it('an index that is missing', async () => {
    const { status, firstLine, left } = await rehearseBroken('index', ofType<Record<string, unknown>>('Custom::PostgresIndexes', (properties) => delete properties.idx_payments_user_date));
    expect(firstLine).toMatch(/^staging failed: .*idx_payments_user_date/);
    expect(status).toBe(1);
    expect(left).toEqual([]);
  });

  it('a pool that is too small for the rates of the guide', async () => {
    const { status, firstLine, left } = await rehearseBroken(
      'pool',
      container(({ Environment }) => {
        const databases = Environment.filter(({ Name }) => Name.startsWith('PGBOUNCER_DATABASE_'));
        for (const each of databases) each.Value = JSON.parse(JSON.stringify(each.Value).replace(/pool_size=\d+ max_db_connections=\d+/, 'pool_size=2 max_db_connections=2'));
      }),
    );
    expect(firstLine).toMatch(/^staging failed: Transactions open at once is 8 transactions, not ≥ 20 \(200 clients kept 4 server connections of 2 tasks busy, and \d+ waited for one/);
    expect(status).toBe(1);
    expect(left).toEqual([]);
  });

  it('a password in the userlist', async () => {
    const { status, firstLine, left } = await rehearseBroken(
      'password',
      container((each) => {
        each.Secrets = each.Secrets.filter(({ Name }) => Name !== 'PGBOUNCER_USERLIST');
        each.Environment.push({ Name: 'PGBOUNCER_USERLIST', Value: '"bookedbarber_app" "hunter2"' });
      }),
    );
    expect(firstLine).toMatch(/PGBOUNCER_USERLIST has something other than a SCRAM verifier for "bookedbarber_app"/);
    expect(firstLine).not.toContain('hunter2');
    expect(status).toBe(2);
    expect(left).toEqual([]);
  });

  it('intrinsic functions that nobody here can resolve, all of them', async () => {
    const { status, firstLine, left } = await rehearseBroken('intrinsic', ofType<Record<string, unknown>>('AWS::RDS::DBInstance', (properties) => (properties.Port = { 'Fn::FindInMap': ['Ports', 'database', 'port'] })));
    expect(firstLine).toMatch(/the template has what the rehearsal cannot resolve: bookedbarber-staging-data: \w+\.Port uses Fn::FindInMap; .*\w+\.Port uses Fn::FindInMap/);
    expect(status).toBe(2);
    expect(left).toEqual([]);
  });
});
