import { mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { run } from '../rehearsal/engines/child';

/** Something wrong with what was asked for; its message is all that a person needs. */
export class ReviewError extends Error {}

/** The checkout that is reviewed. Nothing is written into it. */
export class Checkout {
  private constructor(
    /** Directory of package.json. */
    readonly project: string,
    /** The same, below the top of the repository; empty if it is the top. */
    private readonly prefix: string,
    private readonly signal: AbortSignal,
  ) {}

  /** @throws ReviewError if the directory is not in a Git repository */
  static async open(project: string, signal: AbortSignal): Promise<Checkout> {
    const prefix = await git(project, ['rev-parse', '--show-prefix'], signal).catch((error: Error) => {
      throw new ReviewError(`${project} is not in a Git repository: ${lastLine(error)}`, { cause: error });
    });
    return new Checkout(project, prefix.trimEnd(), signal);
  }

  /** Full id of a commit. @throws ReviewError if there is none of that name */
  async commitOf(revision: string): Promise<string> {
    return this.git(['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`]).catch(async () => {
      const shallow = (await this.git(['rev-parse', '--is-shallow-repository'])) === 'true';
      throw new ReviewError(`there is no revision "${revision}" in this repository; ${shallow ? 'it is a shallow clone: fetch its history with "git fetch --unshallow"' : 'see "git branch --all", or fetch it first'}`);
    });
  }

  /** Files of the project that differ from the last commit, untracked ones included. */
  async uncommittedFiles(): Promise<readonly string[]> {
    const status = await this.git(['status', '--porcelain', '--untracked-files=all', '--', '.']);
    return status === '' ? [] : status.split('\n').map((line) => line.slice(3));
  }

  /** How many commits the first revision has that the second lacks. */
  async commitsMissing(from: string, to: string): Promise<number> {
    return Number(await this.git(['rev-list', '--count', `${to}..${from}`]));
  }

  /** A file of the project in a revision; undefined if it is not there. */
  async fileAt(commit: string, path: string): Promise<string | undefined> {
    const listed = await this.git(['ls-tree', '--name-only', '--full-tree', commit, '--', `${this.prefix}${path}`]);
    return listed === '' ? undefined : git(this.project, ['show', `${commit}:${this.prefix}${path}`], this.signal);
  }

  /**
   * Lends a worktree of a revision, outside the checkout and with its installed packages, and takes it away again.
   */
  async inWorktree<Result>(commit: string, use: (project: string) => Promise<Result>): Promise<Result> {
    const directory = await realpath(await mkdtemp(join(tmpdir(), 'review-')));
    const worktree = join(directory, 'worktree');
    try {
      // Hooks are made for a checkout that people work in.
      await this.git(['-c', 'core.hooksPath=/dev/null', 'worktree', 'add', '--quiet', '--detach', worktree, commit]);
      const project = join(worktree, this.prefix);
      await symlink(join(this.project, 'node_modules'), join(project, 'node_modules'));
      return await use(project);
    } finally {
      // Also when interrupted: Git would remember a worktree that is merely deleted. It locks one until it is whole, which takes
      // force twice, and refuses to remove half of one.
      await rm(directory, { recursive: true, force: true });
      await git(this.project, ['worktree', 'remove', '--force', '--force', worktree], new AbortController().signal).catch(() => undefined);
    }
  }

  private async git(args: readonly string[]): Promise<string> {
    return (await git(this.project, args, this.signal)).trimEnd();
  }
}

async function git(cwd: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  const { stdout } = await run({ name: `git ${args[0]!}`, command: 'git', args, cwd, signal });
  return stdout;
}

function lastLine({ message }: Error): string {
  return message.split('\n').at(-1)!;
}
