import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { run } from '../../lib/rehearsal/engines/child';

const project = join(__dirname, '../..');
let directory: string;
let checkout: string;

/** A machine without AWS credentials, and where it may be made so, without a network. */
const isolated = process.getuid?.() === 0 ? ['unshare', '--net', '--'] : ['env'];

interface Outcome {
  readonly code: number;
  readonly output: string;
}

async function inCheckout(...command: string[]): Promise<Outcome> {
  const environment = { PATH: process.env.PATH, HOME: join(directory, 'home'), XDG_CACHE_HOME: join(directory, 'cache'), TMPDIR: directory, AWS_EC2_METADATA_DISABLED: 'true' };
  const script = '"$@" 2>&1; echo "exit code $?"';
  const { stdout } = await run({ command: isolated[0]!, args: [...isolated.slice(1), 'bash', '-c', script, '-', ...command], cwd: checkout, environment });
  const [, output, code] = /^([^]*)exit code (\d+)\n$/.exec(stdout)!;
  return { code: Number(code), output: output! };
}

const review = (...args: string[]) => inCheckout('node', '-r', 'ts-node/register/transpile-only', 'bin/review.ts', ...args);
const git = (...args: string[]) => inCheckout('git', '-c', 'user.name=test', '-c', 'user.email=test@example.com', ...args);

/** Every file of the checkout, Git's own too, with its contents. */
async function fingerprint(): Promise<string> {
  return (await inCheckout('bash', '-c', "find . -type f ! -path './.git/worktrees/*' ! -path ./.git/index -print0 | sort -z | xargs -0 sha256sum")).output;
}

function edit(file: string, replace: string, by: string): void {
  const text = readFileSync(join(checkout, file), 'utf8');
  if (!text.includes(replace)) throw new Error(`${file} no longer contains "${replace}"`);
  writeFileSync(join(checkout, file), text.replaceAll(replace, by));
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'review-test-'));
  checkout = join(directory, 'checkout');
  const { stdout } = await run({ command: 'git', args: ['ls-files', '--cached', '--others', '--exclude-standard'], cwd: project });
  for (const file of stdout.trim().split('\n').filter((path) => !/^(test|bench|docs)\//.test(path))) {
    mkdirSync(dirname(join(checkout, file)), { recursive: true });
    cpSync(join(project, file), join(checkout, file));
  }
  // Without the slash, it ignores the link as well.
  writeFileSync(join(checkout, '.gitignore'), 'node_modules\n');
  symlinkSync(join(project, 'node_modules'), join(checkout, 'node_modules'));
  await git('init', '--quiet', '--initial-branch', 'main');
  await git('add', '.');
  await git('commit', '--quiet', '--message', 'as it is');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));
afterEach(() => git('checkout', '--quiet', '.'));

describe('npm run review', () => {
  it('finds that comments change nothing, in configuration, constructs and functions, and leaves nothing behind', async () => {
    for (const file of ['lib/config/environments.ts', 'lib/tier/database/database.ts', 'lib/tier/roles/bootstrap.lambda.ts', 'lib/tier/indexes/index-decision.ts']) {
      writeFileSync(join(checkout, file), `// Said in passing.\n${readFileSync(join(checkout, file), 'utf8')}`);
    }
    edit('package-lock.json', '"version": "0.1.0"', '"version": "0.1.1"');
    const before = await fingerprint();
    const { code, output } = await review('main');
    expect(output).toContain('the working tree (5 uncommitted files: lib/config/environments.ts, ');
    expect(output).toContain('note: package-lock.json differs: both were synthesized with the packages that are installed now');
    expect(output).toContain('Nothing changes.');
    expect(code).toBe(0);
    expect(await fingerprint()).toBe(before);
    expect((await git('status', '--porcelain')).output.trim().split('\n')).toHaveLength(5);
    expect((await git('worktree', 'list')).output.trim().split('\n')).toHaveLength(1);
    expect(readdirSync(directory).filter((name) => name.startsWith('review'))).toEqual([]);
  });

  it('refuses a data loss that the change does not acknowledge, and lets one pass that it does', async () => {
    edit('lib/tier/database/database.ts', "new SubnetGroup(this, 'Subnets'", "new SubnetGroup(this, 'DatabaseSubnets'");
    const guarded = await review('main', '--environment', 'development');
    expect(guarded).toEqual({ code: 2, output: expect.stringMatching(/the working tree .* does not synthesize: .*development\/data \(DatabaseSubnets56F17B9A\): pinned, and gone from the data stack/s) });
    edit('lib/tier/guards/pinned-logical-ids.ts', "'DatabaseSubnets56F17B9A', ", '');
    const refused = await review('main', '--environment', 'development', '--markdown', join(directory, 'refused.md'));
    expect(refused.output).toMatch(/DATA LOSS {2}Database\/Primary \(DatabasePrimary\w+\), development\n {4}replaced: DBSubnetGroupName/);
    expect(refused.code).toBe(1);
    expect(readFileSync(join(directory, 'refused.md'), 'utf8')).toContain('⛔ **data loss** `Database/Primary`');

    const entries = [...new Set([...refused.output.matchAll(/^ {2}(?:DATA LOSS|DOWNTIME|DEPLOY FAILS) .*?\((\w+)\)/gm)].map(([, logicalId]) => ({ logicalId: logicalId!, reason: 'the seed job fills it again' })))];
    writeFileSync(join(checkout, 'review-acknowledgements.json'), JSON.stringify(entries));
    const meant = await review('main', '--environment', 'development', '--json');
    rmSync(join(checkout, 'review-acknowledgements.json'));
    expect(meant.output).toContain('"acknowledged": "the seed job fills it again"');
    expect(meant.code).toBe(0);
  });

  it('says which revision it cannot review, and why', async () => {
    expect(await review('v9.9')).toEqual({ code: 2, output: expect.stringContaining('there is no revision "v9.9" in this repository; see "git branch --all", or fetch it first') });
    expect(await review('main', '--environment', 'prod')).toEqual({ code: 2, output: expect.stringMatching(/main \(\w{9}\) does not synthesize: .*there is no environment "prod"; lib\/config\/environments.ts has development/s) });
    edit('lib/config/environments.ts', 'poolSize: 100', 'poolSize: 100_000');
    await git('commit', '--quiet', '--all', '--message', 'too large a pool');
    await git('tag', 'too-large');
    await git('reset', '--quiet', '--hard', 'HEAD~1');
    const base = await review('too-large', '--environment', 'staging');
    expect(base).toEqual({ code: 2, output: expect.stringMatching(/the change could not be reviewed: too-large \(\w{9}\) does not synthesize: .*pool of 100000/s) });
    edit('lib/config/environments.ts', 'poolSize: 100', 'poolSize: 100_000');
    expect(await review('main', '--environment', 'staging')).toEqual({ code: 2, output: expect.stringMatching(/the working tree .* does not synthesize: .*pool of 100000/s) });
  });
});
