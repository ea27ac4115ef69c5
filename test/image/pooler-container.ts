import type { Client } from 'pg';

import { accepts } from '../../lib/rehearsal/network/balancer';
import { connectPooler } from '../../lib/tier/pooler/connect-pooler';
import { poolerEnvironment } from '../../lib/tier/pooler/pooler.contract';
import { password } from '../real/pooler/pooled-databases';
import type { ContainerEngine } from './container-engine';

const port = 6432;

export interface PoolerContainerOptions {
  readonly image: string;
  /** Where it listens: it shares this machine's network. */
  readonly address: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Names that it knows, and their addresses. */
  readonly hosts: Readonly<Record<string, string>>;
  /** Shown to it, read-only, under its own path. */
  readonly directory: string;
  /** Its nofile limit, as in the task definition. */
  readonly openFiles: number;
}

/** A container of the image, confined as the task definition confines it. */
export class PoolerContainer {
  private constructor(
    private readonly engine: ContainerEngine,
    readonly id: string,
    private readonly address: string,
  ) {}

  /** Starts it; it may end at once, which `exitCode` tells. */
  static async launch(engine: ContainerEngine, options: PoolerContainerOptions): Promise<PoolerContainer> {
    const { image, address, environment, hosts, directory, openFiles } = options;
    const variables = Object.entries({ ...environment, [poolerEnvironment.listenAddress]: address });
    const { stdout } = await engine.run(
      'run',
      '--detach',
      ...['--network', 'host', '--read-only', '--cap-drop', 'all', '--security-opt', 'no-new-privileges'],
      // Podman would otherwise have temporary file systems that Fargate has not.
      ...(engine.name === 'podman' ? ['--read-only-tmpfs=false'] : []),
      ...['--ulimit', `nofile=${openFiles}:${openFiles}`, '--ulimit', 'nproc=4096:4096'],
      ...Object.entries(hosts).flatMap(([name, hostAddress]) => ['--add-host', `${name}:${hostAddress}`]),
      ...['--volume', `${directory}:${directory}:ro`],
      ...variables.flatMap(([name, value]) => ['--env', `${name}=${value}`]),
      image,
    );
    return new PoolerContainer(engine, stdout.trim(), address);
  }

  /** Starts it and returns once it listens. */
  static async start(engine: ContainerEngine, options: PoolerContainerOptions): Promise<PoolerContainer> {
    const container = await PoolerContainer.launch(engine, options);
    while (!(await accepts(options.address, port))) {
      if (!(await container.isRunning())) throw new Error(`the pooler did not start:\n${await container.log()}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return container;
  }

  /** Everything that it wrote. */
  async log(): Promise<string> {
    const { stdout, stderr } = await this.engine.run('logs', this.id);
    return `${stdout}${stderr}`.trim();
  }

  /** Settles once it has ended. */
  async exitCode(): Promise<number> {
    return Number((await this.engine.run('wait', this.id)).stdout.trim());
  }

  /** Runs a program in it and returns what that prints. */
  async execute(...command: readonly string[]): Promise<string> {
    return (await this.engine.run('exec', this.id, ...command)).stdout;
  }

  async signal(signal: string): Promise<void> {
    await this.engine.run('kill', '--signal', signal, this.id);
  }

  /** As ECS does: the image's stop signal, and SIGKILL if it has not ended by then. */
  async end(timeoutSeconds: number): Promise<void> {
    await this.engine.run('stop', '--time', `${timeoutSeconds}`, this.id);
  }

  connect(username: string, database: string): Promise<Client> {
    return connectPooler({ host: this.address, port, database }, { username, password });
  }

  async remove(): Promise<void> {
    await this.engine.run('rm', '--force', '--volumes', this.id);
  }

  private async isRunning(): Promise<boolean> {
    return (await this.engine.run('inspect', '--format', '{{.State.Running}}', this.id)).stdout.trim() === 'true';
  }
}
