import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { run } from './child';
import { runsAsRoot } from './unprivileged-user';

/**
 * Where unpacked programs are kept between runs. As root they lie outside root's home, which PostgreSQL, run as an
 * unprivileged user, may not enter.
 */
function cacheRoot(): string {
  // An empty variable counts as unset: https://specifications.freedesktop.org/basedir-spec/latest/
  // eslint-disable-next-line no-restricted-properties -- a property of the machine, like PATH
  const base = runsAsRoot ? '/var/cache' : process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(base, 'bookedbarber-database-tier');
}

/** The directory of that name in the cache; undefined if it is not there. */
export function findCachedDirectory(name: string): string | undefined {
  const directory = join(cacheRoot(), name);
  return existsSync(directory) ? directory : undefined;
}

/** Removes directories of the cache whose names begin so, but the newest and those used within the last hour. */
export async function pruneCache(prefix: string, kept: number): Promise<void> {
  const names = (await readdir(cacheRoot())).filter((name) => name.startsWith(prefix));
  const used = await Promise.all(names.map(async (name) => ({ path: join(cacheRoot(), name), atMs: (await stat(join(cacheRoot(), name))).mtimeMs })));
  const old = used.sort((one, other) => other.atMs - one.atMs).slice(kept);
  const hourMs = 3_600_000;
  await Promise.all(old.filter(({ atMs }) => Date.now() - atMs > hourMs).map(({ path }) => rm(path, { recursive: true, force: true })));
}

/**
 * The directory of that name in the cache; filled first if it is not there. The name holds every version that matters,
 * so that a change makes a new one. Two runs at once each fill their own, and one of them wins.
 */
export async function cachedDirectory(name: string, fill: (directory: string) => Promise<void>): Promise<string> {
  const directory = join(cacheRoot(), name);
  const cached = findCachedDirectory(name);
  if (cached !== undefined) return cached;
  await mkdir(cacheRoot(), { recursive: true });
  const unfinished = await mkdtemp(`${directory}.`);
  try {
    await fill(unfinished);
    // Whatever the umask: PostgreSQL and PgBouncer run as another user than root.
    await run({ command: 'chmod', args: ['-R', 'a+rX', unfinished] });
    if (runsAsRoot) await run({ command: 'chmod', args: ['a+rx', cacheRoot()] });
    await rename(unfinished, directory);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    if (!existsSync(directory)) throw error;
  }
  return directory;
}
