import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

import { type Output, run } from '../../lib/rehearsal/engines/child';
import { runsAsRoot } from '../../lib/rehearsal/engines/unprivileged-user';

/** What is said while something takes its time; jest would keep it back. */
export const say = (what: string): void => void process.stderr.write(`${what}\n`);

/** Docker where its engine answers, else podman with a store of its own, which goes with it. */
export class ContainerEngine {
  private constructor(
    readonly name: 'docker' | 'podman',
    private readonly globalArguments: readonly string[],
    private readonly environment: NodeJS.ProcessEnv,
    private readonly directory: string,
  ) {}

  /** @throws Error that names the packages to install, if there is none and it may not install them itself */
  static async start(): Promise<ContainerEngine> {
    // In /var/tmp: images are large, and /tmp may be memory.
    const directory = await mkdtemp('/var/tmp/pooler-image-');
    if (await dockerAnswers()) return new ContainerEngine('docker', [], process.env, directory);
    await installPrograms(['podman', 'runc']);
    const configuration = join(directory, 'containers.conf');
    await writeFile(
      configuration,
      '[engine]\nruntime = "runc"\nevents_logger = "none"\n\n[containers]\nlog_driver = "k8s-file"\n',
    );
    const [store, state] = ['store', 'state'].map((name) => join(directory, name)) as [string, string];
    await Promise.all([store, state].map((path) => mkdir(path)));
    return new ContainerEngine('podman', ['--root', store, '--runroot', state], { ...process.env, CONTAINERS_CONF: configuration }, directory);
  }

  /** Runs one of its commands. */
  run(...args: readonly string[]): Promise<Output> {
    return run({ name: `${this.name} ${args[0]}`, command: this.name, args: [...this.globalArguments, ...args], environment: this.environment });
  }

  async stop(): Promise<void> {
    if (this.name === 'podman') {
      await this.run('rm', '--all', '--force', '--time', '0');
      await this.run('rmi', '--all', '--force');
    }
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** The command may be there without its daemon. */
async function dockerAnswers(): Promise<boolean> {
  if (!isInstalled('docker')) return false;
  return run({ command: 'docker', args: ['version'], timeoutMs: 10_000 }).then(
    () => true,
    () => false,
  );
}

/**
 * Makes sure that programs are there, each from Debian's package of its name.
 *
 * @throws Error with the command that installs them, where only root can
 */
export async function installPrograms(names: readonly string[]): Promise<void> {
  const missing = names.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  const command = `apt-get install --no-install-recommends ${missing.join(' ')}`;
  if (!runsAsRoot) throw new Error(`${missing.join(' and ')} are missing, and no Docker engine answers: start one, or run as root: ${command}`);
  say(`installing ${missing.join(' and ')}`);
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await run({ command: 'apt-get', args: ['update'], environment });
  await run({ command: 'apt-get', args: ['install', '--yes', '--no-install-recommends', ...missing], environment });
}

function isInstalled(name: string): boolean {
  return [process.env.PATH ?? '', '/usr/sbin', '/sbin'].join(delimiter).split(delimiter).some((directory) => existsSync(join(directory, name)));
}
