import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Checkout } from '../../lib/review/revision';

let directory: string;
const git = (...args: readonly string[]): string => execFileSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@example.com', ...args], { cwd: directory, encoding: 'utf8' });

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'revision-'));
  git('init', '--quiet');
  writeFileSync(join(directory, 'file'), 'text\n');
  writeFileSync(join(directory, '.gitattributes'), 'file filter=slow\n');
  git('add', '.');
  git('commit', '--quiet', '--message', 'first');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('a worktree that is lent', () => {
  it('is gone, for Git too, when it is interrupted while Git still makes it', async () => {
    const begun = join(directory, 'begun');
    git('config', 'filter.slow.smudge', `touch ${begun}; sleep 60`);
    const interrupt = new AbortController();
    const checkout = await Checkout.open(directory, interrupt.signal);
    const lent = checkout.inWorktree(await checkout.commitOf('HEAD'), () => Promise.resolve('lent')).catch((error: Error) => error.name);
    while (!existsSync(begun)) await new Promise((resolve) => setTimeout(resolve, 20));
    const [, made] = git('worktree', 'list', '--porcelain').matchAll(/^worktree (.*)$/gm);
    expect(made![1]).toMatch(/\/review-\w+\/worktree$/);
    interrupt.abort();
    expect(await lent).toBe('AbortError');
    expect(git('worktree', 'list').trim().split('\n')).toHaveLength(1);
    expect(readdirSync(join(directory, '.git'))).not.toContain('worktrees');
    expect(existsSync(made![1]!)).toBe(false);
  });
});
