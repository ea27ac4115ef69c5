import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { type Output, run } from './child';
import { debianMirrors } from './debian-mirrors';

/** The release whose packages the pooler's image is made of: what is rehearsed is the version that runs. */
export const debianRelease = 'trixie';

/** Debian's names of the processors for which there is a PostgreSQL too. */
const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
const timeoutMs = 300_000;

export interface DebianSelection {
  readonly packages: readonly string[];
  /** @default - the release of the pooler's image */
  readonly release?: string;
  /** Everything that they depend on as well, down to the C library. @default - they alone */
  readonly withDependencies?: boolean;
}

/** Does so from the first mirror that has them. @throws Error with what each mirror said */
export async function unpackFromAnyMirror(
  selection: DebianSelection,
  target: string,
  onProgress: (what: string) => void,
): Promise<void> {
  const failures: string[] = [];
  for (const mirror of await debianMirrors()) {
    try {
      return await unpackDebianPackages(selection, mirror, target, onProgress);
    } catch (error) {
      failures.push((error as Error).message);
    }
  }
  throw new Error(failures.join('\n'));
}

/**
 * Downloads packages of a release, with checked signatures, and unpacks them below a directory. Uses a state of its
 * own: the machine's packages and lists stay as they are, and root is not needed.
 *
 * @throws Error if the mirror does not have them or cannot be reached
 */
export async function unpackDebianPackages(
  { packages, release = debianRelease, withDependencies = false }: DebianSelection,
  mirror: string,
  target: string,
  onProgress: (what: string) => void,
): Promise<void> {
  if (!existsSync(keyring)) {
    throw new Error(
      `${keyring} is missing, which checks Debian's signatures; install the package debian-archive-keyring`,
    );
  }
  const work = join(target, 'apt');
  try {
    const environment = {
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      APT_CONFIG: await writeAptConfiguration(work, mirror, release),
      LC_ALL: 'C',
    };
    const apt = (...args: string[]): Promise<Output> =>
      run({ command: 'apt-get', args, cwd: work, environment, timeoutMs });
    onProgress(`reading Debian ${release}'s list of packages`);
    await apt('update', '--error-on=any');
    onProgress(`downloading ${packages.length} packages${withDependencies ? ' and what they need' : ''}`);
    // In its own state nothing is installed, so that everything needed is downloaded.
    if (withDependencies) await apt('install', '--download-only', '--no-install-recommends', '--yes', ...packages);
    else await apt('download', ...packages);
    const downloads = withDependencies ? join(work, 'cache/archives') : work;
    const files = (await readdir(downloads)).filter((name) => name.endsWith('.deb'));
    for (const file of files) await run({ command: 'dpkg', args: ['-x', join(downloads, file), target] });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Changes when what would be unpacked changes. */
export function packageListStamp(packages: readonly string[]): string {
  return createHash('sha256').update(packages.join(' ')).digest('hex').slice(0, 12);
}

/** https://manpages.debian.org/trixie/apt/apt.conf.5.en.html */
async function writeAptConfiguration(work: string, mirror: string, release: string): Promise<string> {
  const directories = ['lists/partial', 'cache/archives/partial', 'etc', 'none'];
  await Promise.all(directories.map((path) => mkdir(join(work, path), { recursive: true })));
  await writeFile(join(work, 'status'), '');
  const options = `[arch=${architectures[process.arch] ?? process.arch} signed-by=${keyring}]`;
  await writeFile(join(work, 'etc/sources.list'), `deb ${options} ${mirror} ${release} main\n`);
  const settings: Readonly<Record<string, string>> = {
    'Dir::State': work,
    'Dir::State::status': join(work, 'status'),
    'Dir::State::lists': join(work, 'lists'),
    'Dir::Cache': join(work, 'cache'),
    'Dir::Etc::sourcelist': join(work, 'etc/sources.list'),
    'Dir::Etc::sourceparts': join(work, 'none'),
    'Dir::Etc::preferences': join(work, 'none/preferences'),
    'Dir::Etc::preferencesparts': join(work, 'none'),
    'Acquire::Retries': '1',
    'Acquire::http::Timeout': '20',
    'Acquire::https::Timeout': '20',
    // Descriptions in other languages would be more than the packages.
    'Acquire::Languages': 'none',
    // Only root may lock; nobody else uses this state.
    'Debug::NoLocking': '1',
    // apt would otherwise drop to a user who may not write here.
    'APT::Sandbox::User': 'root',
  };
  const configuration = join(work, 'etc/apt.conf');
  const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";\n`);
  await writeFile(configuration, lines.join(''));
  return configuration;
}
