import { existsSync } from 'node:fs';
import { chmod, readdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

import { cachedDirectory } from './cache-directory';
import { run } from './child';
import { debianRelease, packageListStamp, unpackFromAnyMirror } from './debian-packages';
import { installedTools } from './installed-tools';

/** How a program is called: the command, and what comes before its own arguments. */
export interface Tool {
  readonly command: string;
  readonly args: readonly string[];
}

/** Where the programs lie in Debian's packages, and how they are asked for their version. */
const programs = {
  pgbouncer: { path: 'usr/sbin/pgbouncer', versionFlag: '--version' },
  haproxy: { path: 'usr/sbin/haproxy', versionFlag: '-v' },
  pgbench: { path: 'usr/lib/postgresql/17/bin/pgbench', versionFlag: '--version' },
  psql: { path: 'usr/lib/postgresql/17/bin/psql', versionFlag: '--version' },
  openssl: { path: 'usr/bin/openssl', versionFlag: 'version' },
} as const;
type ProgramName = keyof typeof programs;
export type DebianTools = Readonly<Record<ProgramName, Tool>>;

/** Where administrators' programs lie, which are not on every user's PATH. */
const sbin = ['/usr/local/sbin', '/usr/sbin'];

/** The programs' own, and those of the libraries that they load, down to the loader. */
// prettier-ignore
const packages = [
  'pgbouncer', 'haproxy', 'postgresql-17', 'postgresql-client-17', 'openssl',
  'libc6', 'libgcc-s1', 'libcrypt1', 'zlib1g', 'libzstd1', 'liblz4-1', 'libcap2',
  'libcares2', 'libevent-2.1-7t64', 'libpam0g', 'libaudit1', 'libcap-ng0', 'libsystemd0', 'libssl3t64',
  'liblua5.4-0', 'libpcre2-8-0', 'libjemalloc2', 'libopentracing1', 'libopentracing-c-wrapper0t64', 'libstdc++6',
  'libpq5', 'libreadline8t64', 'libtinfo6', 'libedit2', 'libbsd0', 'libmd0',
  'libgssapi-krb5-2', 'libkrb5-3', 'libk5crypto3', 'libkrb5support0', 'libcom-err2', 'libkeyutils1',
  'libldap2', 'libsasl2-2',
];

/**
 * PgBouncer, haproxy, pgbench, psql and openssl as Debian ships them in the release that the pooler's image is built
 * from, unpacked once and run by their own loader, whatever this machine's own libraries are. Where there is no mirror
 * of Debian, those that are installed.
 *
 * @throws Error if the packages cannot be had and what is installed does not do; says what to do
 */
export async function debianTools(onProgress: (what: string) => void = () => undefined): Promise<DebianTools> {
  const name = `debian-${debianRelease}-${process.arch}-${packageListStamp(packages)}`;
  let directory: string;
  try {
    directory = await cachedDirectory(name, (target) => unpackTools(target, onProgress));
  } catch (error) {
    onProgress(`no packages of Debian ${debianRelease} here: looking for installed programs`);
    return installedInstead(error as Error);
  }
  return toolsIn(directory);
}

/** Each program has to run. */
async function unpackTools(target: string, onProgress: (what: string) => void): Promise<void> {
  await unpackFromAnyMirror({ packages }, target, onProgress);
  const tools = await toolsIn(target);
  for (const [name, { command, args }] of Object.entries(tools)) {
    // A library that the list of packages lacks is named by the loader.
    await run({ name, command, args: [...args, programs[name as ProgramName].versionFlag] });
  }
}

async function toolsIn(directory: string): Promise<DebianTools> {
  const { loader: command, libraries } = await loaderIn(directory);
  const tool = (path: string): Tool => {
    const program = join(directory, path);
    const missing = [command, program].find((file) => !existsSync(file));
    if (missing) throw new Error(`${missing} is not among the unpacked packages; remove ${directory} and try again`);
    return { command, args: ['--library-path', libraries, program] };
  };
  return Object.fromEntries(Object.entries(programs).map(([name, { path }]) => [name, tool(path)])) as DebianTools;
}

/** The loader of unpacked packages, and the directory of their libraries. */
export async function loaderIn(directory: string): Promise<{ readonly loader: string; readonly libraries: string }> {
  const parent = join(directory, 'usr/lib');
  const libraries = join(parent, (await readdir(parent)).find((name) => name.endsWith('-linux-gnu')) ?? '');
  const loader = (await readdir(libraries)).find((name) => /^ld-linux.*\.so\.\d+$/.test(name)) ?? 'ld-linux';
  return { loader: join(libraries, loader), libraries };
}

async function installedInstead(cause: Error): Promise<DebianTools> {
  try {
    // eslint-disable-next-line no-restricted-properties -- a property of the machine
    return await installedTools([process.env.PATH, ...sbin].join(delimiter));
  } catch (error) {
    throw new Error(
      `the programs of Debian ${debianRelease} cannot be had: ${cause.message}\nand the installed ones do not do: ` +
        `${(error as Error).message}\nSet DEBIAN_MIRROR to the URL of a mirror that has ${debianRelease}, or install what is missing.`,
      { cause },
    );
  }
}

/** Writes a program that calls the tool, for what takes one path, and returns that. Anybody may run it. */
export async function writeProgram(path: string, { command, args }: Tool): Promise<string> {
  const words = [command, ...args].map((word) => `'${word.replace(/'/g, `'\\''`)}'`).join(' ');
  await writeFile(path, `#!/bin/sh\nexec ${words} "$@"\n`);
  await chmod(path, 0o755);
  return path;
}
