import { readFile } from 'node:fs/promises';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { environmentNames, readEnvironment } from '../assembly/environment-assembly';
import type { Progress } from '../rehearsal/report/progress';
import { synthesize } from '../rehearsal/synthesize';
import { acknowledgementsFile, parseAcknowledgements } from './acknowledgements';
import { type ReviewReport, reviewChange, type ReviewedEnvironment } from './review-report';
import { Checkout, ReviewError } from './revision';

export interface ReviewOptions {
  readonly project: string;
  /** Any name of a commit. */
  readonly base: string;
  /** Undefined reviews the working tree. */
  readonly head?: string;
  /** One environment; undefined reviews all. */
  readonly environment?: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/**
 * Synthesizes two revisions of the project offline and says what the change does.
 *
 * @throws ReviewError that says which revision cannot be reviewed and why
 */
export async function review(options: ReviewOptions): Promise<ReviewReport> {
  const { project, progress, signal, environment } = options;
  const checkout = await Checkout.open(project, signal);
  const [base, head] = [await checkout.commitOf(options.base), options.head === undefined ? undefined : await checkout.commitOf(options.head)];
  const uncommitted = await checkout.uncommittedFiles();
  const headName = head === undefined ? `the working tree (${describeUncommitted(uncommitted)})` : nameOf(options.head!, head);
  const baseName = nameOf(options.base, base);

  const directory = await mkdtemp(join(tmpdir(), 'review-assemblies-'));
  try {
    progress.begin(`synthesizes ${baseName} and ${headName}`);
    const [before, after] = [join(directory, 'base'), join(directory, 'head')];
    await both([
      checkout.inWorktree(base, (worktree) => synthesized(baseName, environment, before, worktree, signal)),
      head === undefined ? synthesized(headName, environment, after, project, signal) : checkout.inWorktree(head, (worktree) => synthesized(headName, environment, after, worktree, signal)),
    ]);
    progress.begin('compares them');
    const read = async (commit: string | undefined, path: string): Promise<string | undefined> => (commit === undefined ? readFile(join(project, path), 'utf8').catch(() => undefined) : checkout.fileAt(commit, path));
    const acknowledgements = {
      before: parseAcknowledgements(await read(base, acknowledgementsFile), baseName),
      after: parseAcknowledgements(await read(head, acknowledgementsFile), headName),
    };
    const missing = await checkout.commitsMissing(base, head ?? 'HEAD');
    const locks = [await read(base, 'package-lock.json'), await read(head, 'package-lock.json')];
    const remarks = [
      ...(options.head !== undefined && uncommitted.length > 0 ? [`${describeUncommitted(uncommitted)} in the checkout: not part of ${headName}`] : []),
      ...(missing > 0 ? [`${baseName} has ${missing === 1 ? '1 commit' : `${missing} commits`} that ${headName} lacks: what they did is shown here as undone. Rebase, or review against "git merge-base ${options.base} ${options.head ?? 'HEAD'}"`] : []),
      ...(locks[0] === locks[1] ? [] : [`package-lock.json differs: both were synthesized with the packages that are installed now, so that what a new version changes by itself is not shown`]),
    ];
    const report = reviewChange({ base: baseName, head: headName, environments: readBoth(before, after, environment), acknowledgements, remarks });
    progress.succeed();
    return report;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function synthesized(name: string, environment: string | undefined, output: string, project: string, signal: AbortSignal): Promise<void> {
  try {
    await synthesize(environment, output, signal, project);
  } catch (error) {
    signal.throwIfAborted();
    throw new ReviewError(`${name} does not synthesize: ${(error as Error).message}`, { cause: error });
  }
}

/** Waits for both, so that neither leaves anything behind, and then says what was wrong with each. */
async function both(work: readonly Promise<void>[]): Promise<void> {
  const outcomes = await Promise.allSettled(work);
  const errors = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as Error] : []));
  const wrong = errors.filter((error) => error instanceof ReviewError);
  if (wrong.length > 0) throw new ReviewError(wrong.map(({ message }) => message).join('\n'), { cause: wrong[0] });
  if (errors.length > 0) throw errors[0]!;
}

/** An environment that only one revision has is compared with nothing. */
function readBoth(before: string, after: string, environment: string | undefined): readonly ReviewedEnvironment[] {
  const [left, right] = [environmentNames(before), environmentNames(after)];
  const names = environment === undefined ? [...new Set([...right, ...left])] : [environment];
  return names.map((name) => ({ environment: name, before: left.includes(name) ? readEnvironment(before, name) : [], after: right.includes(name) ? readEnvironment(after, name) : [] }));
}

function nameOf(revision: string, commit: string): string {
  return commit.startsWith(revision) ? commit.slice(0, 9) : `${revision} (${commit.slice(0, 9)})`;
}

function describeUncommitted(files: readonly string[]): string {
  if (files.length === 0) return 'no uncommitted changes';
  return `${files.length === 1 ? '1 uncommitted file' : `${files.length} uncommitted files`}: ${files.slice(0, 3).join(', ')}${files.length > 3 ? ', …' : ''}`;
}
