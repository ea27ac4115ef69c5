import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { run } from './child';

/** The release whose packages the pooler's image is made of: what is rehearsed is the version that runs. */
export const debianRelease = 'trixie';

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * Downloads packages of that release, with checked signatures, and unpacks them below a directory. Uses a state of its
 * own: the machine's packages and lists stay as they are, and root is not needed.
 *
 * @throws Error if no mirror is known or it cannot be reached; says what to do
 */
export async function unpackDebianPackages(packages: readonly string[], target: string, onProgress: (what: string) => void): Promise<void> {
  if (!existsSync(keyring)) throw new Error(`${keyring} is missing, with which Debian's packages are verified; install the package debian-archive-keyring`);
  const work = join(target, 'apt');
  const configuration = await writeAptConfiguration(work, await debianMirror());
  const apt = (program: string, ...args: string[]) =>
    run({ command: program, args, cwd: work, environment: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', APT_CONFIG: configuration, LC_ALL: 'C' }, timeoutMs: 300_000 });
  onProgress(`reading Debian ${debianRelease}'s list of packages`);
  await apt('apt-get', 'update', '--error-on=any');
  onProgress(`downloading ${packages.length} packages`);
  await apt('apt-get', 'download', ...packages);
  for (const file of (await readdir(work)).filter((name) => name.endsWith('.deb'))) await run({ command: 'dpkg', args: ['-x', join(work, file), target] });
  await run({ command: 'rm', args: ['-rf', work] });
}

/** Changes when what would be unpacked changes. */
export function packageListStamp(packages: readonly string[]): string {
  return createHash('sha256').update(packages.join(' ')).digest('hex').slice(0, 12);
}

async function writeAptConfiguration(work: string, mirror: string): Promise<string> {
  await Promise.all(['lists/partial', 'cache/archives/partial', 'etc', 'none'].map((path) => mkdir(join(work, path), { recursive: true })));
  await writeFile(join(work, 'status'), '');
  await writeFile(join(work, 'etc/sources.list'), `deb [signed-by=${keyring}] ${mirror} ${debianRelease} main\n`);
  const configuration = join(work, 'etc/apt.conf');
  const settings: Readonly<Record<string, string>> = {
    'Dir::State': work,
    'Dir::State::status': join(work, 'status'),
    'Dir::State::lists': join(work, 'lists'),
    'Dir::Cache': join(work, 'cache'),
    'Dir::Etc::sourcelist': join(work, 'etc/sources.list'),
    'Dir::Etc::sourceparts': join(work, 'none'),
    'Dir::Etc::preferencesparts': join(work, 'none'),
    'Acquire::Retries': '3',
    // apt would otherwise drop to a user who may not write here.
    'APT::Sandbox::User': 'root',
  };
  await writeFile(configuration, Object.entries(settings).map(([name, value]) => `${name} "${value}";\n`).join(''));
  return configuration;
}

/** The mirror that this machine already uses, so that it can be reached; DEBIAN_MIRROR names another. */
async function debianMirror(): Promise<string> {
  // eslint-disable-next-line no-restricted-properties -- a property of the machine, like PATH
  const named = process.env.DEBIAN_MIRROR;
  if (named) return named;
  const { stdout } = await run({ command: 'apt-get', args: ['indextargets', '--format', '$(ORIGIN) $(REPO_URI) $(CODENAME)'] });
  const line = stdout.split('\n').find((text) => text.startsWith('Debian ') && !text.includes('-security'));
  const mirror = line?.split(' ')[1];
  if (!mirror) {
    throw new Error(
      `apt on this machine knows no Debian mirror: run "apt-get update" if it never has been, or set DEBIAN_MIRROR to the URL of a mirror that has Debian ${debianRelease}`,
    );
  }
  return mirror;
}
