import { run } from './child';

/**
 * Mirrors from which Debian's packages may be had: the ones that this machine's own apt uses, since it can reach them,
 * or the one that DEBIAN_MIRROR names.
 *
 * @throws Error if apt is not there or has none
 */
export async function debianMirrors(): Promise<readonly string[]> {
  // eslint-disable-next-line no-restricted-properties -- a property of the machine, like PATH
  const named = process.env.DEBIAN_MIRROR;
  if (named) return [named];
  // Without the information of the release files it works before the first "apt-get update", as in a fresh container.
  // https://manpages.debian.org/trixie/apt/apt-get.8.en.html#indextargets
  const args = ['indextargets', '--no-release-info', '--format', '$(RELEASE) $(COMPONENT) $(REPO_URI)'];
  const { stdout } = await run({ command: 'apt-get', args });
  const mirrors = mirrorsIn(stdout);
  if (mirrors.length === 0) throw new Error("apt's configuration names no mirror with a component main");
  return mirrors;
}

/**
 * Whose packages they are is not said there; a mirror of another distribution does not have the release.
 *
 * @param targets lines of release, component and address
 */
export function mirrorsIn(targets: string): readonly string[] {
  const mirrors = targets
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([release, component]) => component === 'main' && !/security|updates|backports/.test(release!))
    .map(([, , address]) => address!);
  return [...new Set(mirrors)];
}
