import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { cachedDirectory } from './cache-directory';
import { run } from './child';
import { debianRelease, packageListStamp, unpackDebianPackages } from './debian-packages';

/** How a program is called: the command, and what comes before its own arguments. */
export interface Tool {
  readonly command: string;
  readonly args: readonly string[];
}

/** Programs that come from Debian's packages, with where they lie in them. */
const programs = {
  pgbouncer: 'usr/sbin/pgbouncer',
  haproxy: 'usr/sbin/haproxy',
  pgbench: 'usr/lib/postgresql/17/bin/pgbench',
  psql: 'usr/lib/postgresql/17/bin/psql',
  openssl: 'usr/bin/openssl',
} as const;
export type DebianTools = Readonly<Record<keyof typeof programs, Tool>>;

const packages = [
  'pgbouncer', 'haproxy', 'postgresql-17', 'postgresql-client-17', 'openssl',
  'libc6', 'libgcc-s1', 'libcrypt1', 'zlib1g', 'libzstd1', 'liblz4-1', 'libcap2',
  'libcares2', 'libevent-2.1-7t64', 'libpam0g', 'libaudit1', 'libcap-ng0', 'libsystemd0', 'libssl3t64',
  'liblua5.4-0', 'libpcre2-8-0', 'libjemalloc2', 'libopentracing1', 'libopentracing-c-wrapper0t64', 'libstdc++6',
  'libpq5', 'libreadline8t64', 'libtinfo6', 'libedit2', 'libbsd0', 'libmd0',
  'libgssapi-krb5-2', 'libkrb5-3', 'libk5crypto3', 'libkrb5support0', 'libcom-err2', 'libkeyutils1',
  'libldap2', 'libsasl2-2',
]; // prettier-ignore

/**
 * PgBouncer, haproxy, pgbench, psql and openssl as Debian ships them in the release that the pooler's image is built
 * from. Unpacked once beside each other and run by their own loader, whatever this machine's own libraries are.
 *
 * @throws Error that says what is missing if they cannot be downloaded
 */
export async function debianTools(onProgress: (what: string) => void = () => undefined): Promise<DebianTools> {
  const directory = await cachedDirectory(`debian-${debianRelease}-${process.arch}-${packageListStamp(packages)}`, async (target) => {
    await unpackDebianPackages(packages, target, onProgress);
    for (const tool of Object.values(await toolsIn(target))) await run({ ...tool, args: [...tool.args, versionFlag(tool)] });
  });
  return toolsIn(directory);
}

async function toolsIn(directory: string): Promise<DebianTools> {
  const libraries = join(directory, 'usr/lib', (await readdir(join(directory, 'usr/lib'))).find((name) => name.endsWith('-linux-gnu')) ?? '');
  const loader = (await readdir(libraries)).find((name) => /^ld-linux.*\.so\.\d+$/.test(name));
  if (!loader) throw new Error(`the unpacked packages in ${directory} have no loader; remove the directory and try again`);
  const tool = (path: string): Tool => {
    const program = join(directory, path);
    if (!existsSync(program)) throw new Error(`the unpacked packages in ${directory} have no ${path}; remove the directory and try again`);
    return { command: join(libraries, loader), args: ['--library-path', libraries, program] };
  };
  return Object.fromEntries(Object.entries(programs).map(([name, path]) => [name, tool(path)])) as DebianTools;
}

function versionFlag({ args }: Tool): string {
  const program = args.at(-1)!;
  return program.endsWith('haproxy') ? '-v' : program.endsWith('openssl') ? 'version' : '--version';
}
