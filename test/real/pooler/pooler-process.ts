import { chmod, chown, cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Client } from 'pg';

import { Child, type Output, run } from '../../../lib/rehearsal/engines/child';
import { debianTools, writeProgram } from '../../../lib/rehearsal/engines/debian-tools';
import { runsAsRoot, unprivilegedUid } from '../../../lib/rehearsal/engines/unprivileged-user';
import { accepts } from '../../../lib/rehearsal/network/balancer';
import { poolerEnvironment, poolerImageFiles } from '../../../lib/tier/pooler/pooler.contract';

const port = 6432;

/** The image's entrypoint as an ordinary process, with the image's own files and a run directory of its own. */
export class PoolerProcess {
  private constructor(
    readonly address: string,
    readonly directory: string,
    private readonly environment: NodeJS.ProcessEnv,
    private readonly process: Child,
  ) {}

  /** Starts it; it may end at once, which `exited` tells. */
  static async launch(address: string, environment: NodeJS.ProcessEnv): Promise<PoolerProcess> {
    const directory = await mkdtemp(join(tmpdir(), 'pooler-'));
    await chmod(directory, 0o755);
    await cp(join(__dirname, '../../../assets/pgbouncer'), directory, { recursive: true });
    const runDirectory = join(directory, 'run');
    await mkdir(runDirectory, { mode: 0o700 });
    if (runsAsRoot) await chown(runDirectory, unprivilegedUid, unprivilegedUid);
    const { pgbouncer, openssl } = await debianTools();
    const whole = {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      [poolerEnvironment.listenAddress]: address,
      [poolerEnvironment.runDirectory]: runDirectory,
      [poolerEnvironment.binary]: await writeProgram(join(directory, 'pgbouncer'), pgbouncer),
      [poolerEnvironment.openssl]: await writeProgram(join(directory, 'openssl'), openssl),
      ...environment,
    };
    const process = new Child({
      name: `pooler ${address}`,
      command: 'bash',
      args: [join(directory, poolerImageFiles.entrypoint)],
      environment: whole,
      uid: unprivilegedUid,
    });
    return new PoolerProcess(address, directory, whole, process);
  }

  /** Starts it and returns once it listens. */
  static async start(address: string, environment: NodeJS.ProcessEnv): Promise<PoolerProcess> {
    const pooler = await PoolerProcess.launch(address, environment);
    while (!(await accepts(address, port))) {
      if (!pooler.process.isRunning) throw new Error(`the pooler did not start:\n${pooler.log}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return pooler;
  }

  get runDirectory(): string {
    return join(this.directory, 'run');
  }

  get pid(): number {
    return this.process.pid;
  }

  /** What it and PgBouncer wrote. */
  get log(): string {
    return this.process.logTail(200);
  }

  get exitCode(): Promise<number | null> {
    return this.process.exited.then(({ code }) => code);
  }

  /** Process id of PgBouncer itself. */
  async pgbouncerPid(): Promise<number> {
    const children = await readFile(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8');
    return Number(children.trim().split(' ')[0]);
  }

  signal(signal: NodeJS.Signals): void {
    this.process.signal(signal);
  }

  /** Runs the image's health check. */
  checkHealth(): Promise<Output> {
    return run({
      command: 'bash',
      args: [join(this.directory, poolerImageFiles.healthCheck)],
      environment: this.environment,
      uid: unprivilegedUid,
    });
  }

  /** Logs in, over TLS if not told otherwise; the caller ends the session. */
  async connect(user: string, password: string, database: string, { tls = true } = {}): Promise<Client> {
    const ssl = tls && { rejectUnauthorized: false };
    const client = new Client({ host: this.address, port, user, password, database, ssl });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  async stop(): Promise<void> {
    await this.process.stop('SIGKILL');
    await rm(this.directory, { recursive: true, force: true });
  }
}
