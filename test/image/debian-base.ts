import { join } from 'node:path';

import { cachedDirectory } from '../../lib/rehearsal/engines/cache-directory';
import { run } from '../../lib/rehearsal/engines/child';
import { debianMirrors } from '../../lib/rehearsal/engines/debian-mirrors';
import { debianRelease } from '../../lib/rehearsal/engines/debian-packages';
import { type ContainerEngine, installPrograms, say } from './container-engine';

/** A platform for which the image can be built, by Debian's name of its architecture, which is Docker's too. */
export type Architecture = 'amd64' | 'arm64';
export const machineArchitecture: Architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';

/** What Docker's slim images leave out. https://github.com/debuerreotype/debuerreotype/blob/master/scripts/.slimify-excludes */
const leftOut = ['doc', 'groff', 'info', 'linda', 'lintian', 'locale', 'man'];

/**
 * Puts a base of Debian under a name in the engine's store: for this machine as Docker's own base is made, for others
 * merely unpacked, since their programs cannot run here. Nothing runs on those but COPY.
 *
 * @return the mirror that its packages came from
 */
export async function importDebianBase(engine: ContainerEngine, name: string, architectures: readonly Architecture[]): Promise<string> {
  await installPrograms(['mmdebstrap']);
  const [mirror] = await debianMirrors();
  await engine.run('manifest', 'create', name);
  for (const architecture of architectures) {
    const tar = join(await rootFileSystem(architecture, mirror!), 'base.tar');
    const own = `localhost/debian-base:${architecture}`;
    await engine.run('import', '--quiet', '--os', 'linux', '--arch', architecture, '--change', 'CMD ["bash"]', tar, own);
    await engine.run('manifest', 'add', name, `containers-storage:${own}`);
  }
  return mirror!;
}

/** Kept for a month: a base of its own would take a minute of every run. */
async function rootFileSystem(architecture: Architecture, mirror: string): Promise<string> {
  const month = new Date().toISOString().slice(0, 7);
  const slim = leftOut.map((part) => `--dpkgopt=path-exclude=/usr/share/${part}/*`);
  const variant =
    architecture === machineArchitecture ? ['--variant=minbase', ...slim] : ['--variant=extract', '--include=?essential', '--include=apt'];
  return cachedDirectory(`debian-base-${debianRelease}-${architecture}-${month}`, async (directory) => {
    say(`making a base of Debian ${debianRelease} for ${architecture} from ${mirror}, which takes about a minute`);
    await run({ command: 'mmdebstrap', args: [...variant, `--arch=${architecture}`, debianRelease, join(directory, 'base.tar'), mirror] });
  });
}
