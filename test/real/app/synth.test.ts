import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { run } from '../../../lib/rehearsal/engines/child';

const project = join(__dirname, '../../..');
let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'synth-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A machine without AWS credentials, and where it may be made so, without a network. */
const environment = (): NodeJS.ProcessEnv => ({ PATH: process.env.PATH, HOME: join(directory, 'home'), AWS_EC2_METADATA_DISABLED: 'true' });
const isolated = process.getuid?.() === 0 ? ['unshare', '--net', '--'] : ['env'];

async function cdk(cwd: string, ...args: string[]): Promise<string> {
  const [command, ...rest] = [...isolated, 'node', join(project, 'node_modules/aws-cdk/bin/cdk'), ...args];
  const { stdout } = await run({ command: command!, args: rest, cwd, environment: environment() });
  return stdout;
}

/** Every template below a directory, by its path. */
function templatesIn(assembly: string): Readonly<Record<string, string>> {
  const files = readdirSync(assembly, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.template.json'));
  return Object.fromEntries(files.sort().map((path) => [path, readFileSync(join(assembly, path), 'utf8')]));
}

describe('npx cdk', () => {
  it('synthesizes byte-identical templates from two folders, without credentials and without a network', async () => {
    const copy = join(directory, 'somewhere/else');
    const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: project, encoding: 'utf8' }).trim().split('\n');
    for (const file of files.filter((path) => !path.startsWith('test/'))) cpSync(join(project, file), join(copy, file), { recursive: true });
    symlinkSync(join(project, 'node_modules'), join(copy, 'node_modules'));
    await cdk(project, 'synth', '--quiet', '--output', join(directory, 'one'));
    // AWS's rules see the same templates, if they are.
    await cdk(copy, 'synth', '--quiet', '--no-validation', '--output', join(directory, 'two'));
    const templates = templatesIn(join(directory, 'one'));
    expect(Object.keys(templates)).toHaveLength(6);
    expect(templatesIn(join(directory, 'two'))).toEqual(templates);
  });

  it('lists two stacks for each environment, data first, of what it has synthesized', async () => {
    expect((await cdk(project, 'ls', '--app', join(directory, 'one'))).trim().split('\n')).toEqual(
      ['development', 'staging', 'production'].flatMap((name) => ['data', 'service'].map((stack) => `${name}/${stack} (bookedbarber-${name}-${stack})`)),
    );
  });

  it('refuses an environment that does not exist, and names those that do', async () => {
    await expect(cdk(project, 'synth', '--quiet', '--context', 'environment=prod', '--output', join(directory, 'none'))).rejects.toThrow(
      'there is no environment "prod"; lib/config/environments.ts has development, staging, production',
    );
  });
});
