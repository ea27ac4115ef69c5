import { chown, cp, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { poolerEnvironment, poolerImageFiles } from '../../tier/pooler/pooler.contract';
import { Child, run } from '../engines/child';
import { debianTools, writeProgram } from '../engines/debian-tools';
import { openFileLimit } from '../engines/open-file-limit';
import { runsAsRoot, unprivilegedUid } from '../engines/unprivileged-user';
import { accepts } from '../network/balancer';
import { assertPortsFree } from '../network/ports-in-use';

export interface PoolerTaskOptions {
  /** In messages, and of its directory. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** Build context of the image. */
  readonly image: string;
  /** A directory of its own, which does not exist yet. */
  readonly directory: string;
  /** The container's, secrets included. */
  readonly environment: Readonly<Record<string, string>>;
  /** The container's limit of open files. @default - as this process */
  readonly openFiles?: number;
}

/** A task of the service: PgBouncer by the image's own entrypoint. */
export class PoolerTask {
  private constructor(
    private readonly options: PoolerTaskOptions,
    readonly process: Child,
    private readonly environment: NodeJS.ProcessEnv,
  ) {}

  /** Starts it; whether it listens, `untilListening` tells. */
  static async launch(options: PoolerTaskOptions): Promise<PoolerTask> {
    const { name, address, port, image, directory } = options;
    await assertPortsFree(address, [port]); // else whoever listens there would be taken for it
    const runDirectory = join(directory, 'run');
    await cp(image, directory, { recursive: true });
    await mkdir(runDirectory, { mode: 0o700 });
    if (runsAsRoot) await chown(runDirectory, unprivilegedUid, unprivilegedUid);
    const { pgbouncer, openssl } = await debianTools();
    const environment = {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      ...options.environment,
      [poolerEnvironment.listenAddress]: address,
      [poolerEnvironment.runDirectory]: runDirectory,
      [poolerEnvironment.binary]: await writeProgram(join(directory, 'pgbouncer'), pgbouncer),
      [poolerEnvironment.openssl]: await writeProgram(join(directory, 'openssl'), openssl),
    };
    const entrypoint = join(directory, poolerImageFiles.entrypoint);
    const process = new Child({
      name: `pooler ${name}`,
      // Its entrypoint raises the limit as far as it may, so both are set.
      ...(options.openFiles === undefined ? { command: 'bash', args: [entrypoint] } : { command: 'prlimit', args: [`--nofile=${options.openFiles}`, 'bash', entrypoint] }),
      uid: unprivilegedUid,
      environment,
    });
    return new PoolerTask(options, process, environment);
  }

  get name(): string {
    return this.options.name;
  }

  get address(): string {
    return this.options.address;
  }

  get port(): number {
    return this.options.port;
  }

  /** Lines of its ini that the template sets. */
  get settings(): Readonly<Record<string, string>> {
    const { settingPrefix } = poolerEnvironment;
    const lines = Object.entries(this.options.environment).filter(([name]) => name.startsWith(settingPrefix));
    return Object.fromEntries(lines.map(([name, value]) => [name.slice(settingPrefix.length).toLowerCase(), value]));
  }

  /** Of its container, by the names that ECS has for them. */
  get limits(): Readonly<Record<string, string>> {
    const { openFiles } = this.options;
    return openFiles === undefined ? {} : { nofile: `${openFiles}` };
  }

  /** Files that PgBouncer itself may have open. */
  async openFilesOfPgbouncer(): Promise<number> {
    return openFileLimit(await this.pgbouncerPid());
  }

  /** Whether the image's own health check succeeds; ECS asks every five seconds and believes the second failure. */
  async isHealthy(): Promise<boolean> {
    const args = [join(this.options.directory, poolerImageFiles.healthCheck)];
    return run({ name: 'health check', command: 'bash', args, environment: this.environment, uid: unprivilegedUid }).then(
      () => true,
      () => false,
    );
  }

  /** Stops PgBouncer in mid-sentence, and not its entrypoint: connections stay open, and nobody answers. */
  async freeze(): Promise<void> {
    process.kill(await this.pgbouncerPid(), 'SIGSTOP');
  }

  /** Lets it go on. */
  async thaw(): Promise<void> {
    process.kill(await this.pgbouncerPid(), 'SIGCONT');
  }

  /** Kills it and all it has started, as a machine that is gone. */
  async kill(): Promise<void> {
    await this.process.stop('SIGKILL');
  }

  /** The entrypoint's first child. */
  private async pgbouncerPid(): Promise<number> {
    const { pid } = this.process;
    return Number((await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ')[0]);
  }
}

/** @throws Error with the end of its log, if PgBouncer ends before it listens */
export async function untilListening(process: Child, address: string, port: number): Promise<void> {
  while (!(await accepts(address, port))) {
    if (!process.isRunning) throw new Error(`PgBouncer did not start on ${address}:${port}: ${process.complaint()}; the end of its log:\n${process.logTail(8)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
