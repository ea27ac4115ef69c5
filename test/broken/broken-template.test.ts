import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { synthesize } from '../../lib/rehearsal/synthesize';
import { type Break, breakAssembly, ofType } from './broken-assembly';

interface TaskDefinition {
  readonly ContainerDefinitions: readonly {
    Environment: { Name: string; Value: unknown }[];
    Secrets: { Name: string; ValueFrom: unknown }[];
  }[];
}

const project = join(__dirname, '../..');
const small = ['--environment', 'staging', '--quick', '--rows', '100000'];
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'broken-'));
  chmodSync(directory, 0o755); // servers run as nobody
  await synthesize('staging', join(directory, 'whole'), new AbortController().signal);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Rehearses a broken template; of what is printed, the lines of progress left out. */
function rehearseBroken(name: string, change: Break): { readonly status: number | null; readonly firstLine: string } {
  const assembly = join(directory, name);
  breakAssembly(join(directory, 'whole'), assembly, change);
  const args = ['-r', 'ts-node/register/transpile-only', 'bin/rehearse.ts', ...small, '--assembly', assembly, '--report', join(directory, `${name}-report`)];
  const { status, stdout, stderr } = spawnSync('node', args, { cwd: project, encoding: 'utf8', env: { ...process.env, TMPDIR: directory } });
  const told = stderr.split('\n').filter((line) => !/^\d+:\d\d /.test(line));
  return { status, firstLine: [...stdout.split('\n'), ...told].find((line) => line !== '') ?? '' };
}

const container = (change: (container: TaskDefinition['ContainerDefinitions'][number]) => void) =>
  ofType<TaskDefinition>('AWS::ECS::TaskDefinition', ({ ContainerDefinitions }) => ContainerDefinitions.forEach(change));

describe('a template that is broken on purpose fails its rehearsal, and the first line says what', () => {
  it('a value that PostgreSQL does not take for a parameter', () => {
    const { status, firstLine } = rehearseBroken('parameter', ofType<{ Parameters: Record<string, string> }>('AWS::RDS::DBParameterGroup', ({ Parameters }) => (Parameters.work_mem = 'plenty')));
    expect(firstLine).toMatch(/invalid value for parameter "work_mem": "plenty"/);
    expect(status).toBe(2);
  });

  it('an index that is missing', () => {
    const { status, firstLine } = rehearseBroken('index', ofType<Record<string, unknown>>('Custom::PostgresIndexes', (properties) => delete properties.idx_payments_user_date));
    expect(firstLine).toMatch(/^staging failed: .*idx_payments_user_date/);
    expect(status).toBe(1);
  });

  it('a password in the userlist', () => {
    const { status, firstLine } = rehearseBroken(
      'password',
      container((each) => {
        each.Secrets = each.Secrets.filter(({ Name }) => Name !== 'PGBOUNCER_USERLIST');
        each.Environment.push({ Name: 'PGBOUNCER_USERLIST', Value: '"bookedbarber_app" "hunter2"' });
      }),
    );
    expect(firstLine).toMatch(/PGBOUNCER_USERLIST has something other than a SCRAM verifier for "bookedbarber_app"/);
    expect(status).toBe(2);
  });
});
