import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { type ContainerEngine, say } from './container-engine';
import { type Architecture, importDebianBase, machineArchitecture } from './debian-base';

const context = join(__dirname, '../../assets/pgbouncer');

/** What `FROM` and apt are told instead of the Dockerfile's own defaults. */
type BuildArguments = Readonly<Record<string, string>>;

/**
 * Builds the image for this machine and for Graviton.
 *
 * @return the images' names
 */
export async function buildPoolerImages(engine: ContainerEngine): Promise<Readonly<Record<Architecture, string>>> {
  const architectures = ['amd64', 'arm64'] as const;
  const base = await buildArguments(engine, architectures);
  const build = async (architecture: Architecture): Promise<string> => {
    const image = `localhost/pooler-image-test:${architecture}`;
    say(`building the image for ${architecture}`);
    const options = engine.name === 'podman' ? ['--isolation', 'chroot', '--network', 'host', '--format', 'docker'] : [];
    await engine.run('build', ...options, '--platform', `linux/${architecture}`, ...buildArgumentOptions({ ...base, ...platforms(engine, architecture) }), '--tag', image, context);
    return image;
  };
  return { amd64: await build('amd64'), arm64: await build('arm64') };
}

/**
 * None where the registry has the base: what is tested is then what is deployed. Where it cannot be reached, a base
 * from this machine's mirror under the same name, and the mirror's packages.
 *
 * @throws Error if the registry answers that it does not have the base
 */
async function buildArguments(engine: ContainerEngine, architectures: readonly Architecture[]): Promise<BuildArguments> {
  const [, pinned] = /^ARG BASE=(\S+)$/m.exec(await readFile(join(context, 'Dockerfile'), 'utf8')) ?? [];
  const [name, digest] = pinned!.split('@') as [string, string];
  try {
    await engine.run('pull', '--quiet', `${name.replace(/:[^:/]*$/, '')}@${digest}`);
    return {};
  } catch (error) {
    const { message } = error as Error;
    if (/manifest unknown|not found/i.test(message)) throw new Error(`the registry has no ${pinned}; move it, the Dockerfile says how`, { cause: error });
    say(`the registry cannot be reached, so the base is made here: ${message.split('\n').at(-1)}`);
  }
  const mirror = await importDebianBase(engine, name, architectures);
  return { BASE: name, DEBIAN_MIRROR: mirror, DEBIAN_SECURITY_MIRROR: '' };
}

/** Buildah sets them for RUN, but before 1.29 not for FROM. */
function platforms({ name }: ContainerEngine, architecture: Architecture): BuildArguments {
  return name === 'podman' ? { BUILDPLATFORM: `linux/${machineArchitecture}`, TARGETPLATFORM: `linux/${architecture}` } : {};
}

function buildArgumentOptions(values: BuildArguments): readonly string[] {
  return Object.entries(values).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
}
