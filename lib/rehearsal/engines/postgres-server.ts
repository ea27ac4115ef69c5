import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { Client } from 'pg';

import { takeBaseBackup, takeFullBackup } from './base-backup';
import { Child } from './child';
import { InstanceDirectory } from './instance-directory';
import { postgresEngine } from './postgres-engine';
import type { PostgresServerOptions, StandbyOptions } from './postgres-server-options';
import { processTreeCpuSeconds } from './process-cpu';
import { forcesTls, isRdsOnly, passwordsSql, rdsRolesSql, renderPgHba, superuserName } from './rds-imitation';
import { StandbyLink } from './standby-link';
import { unprivilegedUid } from './unprivileged-user';

/** Longer than any recovery here takes; a server that cannot answer by then never will. */
const startTimeoutMs = 60_000;
const stopTimeoutMs = 30_000;

/**
 * A real PostgreSQL 17 on this machine: an instance of its own directory, which it takes with it when it stops. It dies
 * with this process.
 */
export class PostgresServer {
  readonly port: number;
  readonly hostName: string;
  private child?: Child;
  /** Of a standby, to its primary. */
  private link?: StandbyLink;

  private constructor(
    readonly address: string,
    private readonly directory: InstanceDirectory,
    private readonly superuserPassword: string,
    private readonly options: PostgresServerOptions,
  ) {
    this.port = options.port ?? 5432;
    this.hostName = options.hostName ?? address;
  }

  /** Makes a new instance and returns once it answers. */
  static async start(options: PostgresServerOptions): Promise<PostgresServer> {
    const { rds, tls, parameters = {} } = options;
    if (rds && !tls && forcesTls(parameters)) {
      throw new Error(
        'as on RDS, nobody could log in to a server without TLS: give it "tls", or the parameter rds.force_ssl = 0',
      );
    }
    const server = new PostgresServer(
      options.address,
      await InstanceDirectory.create(),
      randomBytes(24).toString('hex'),
      options,
    );
    return server.orRemoved(async () => {
      if (options.keptData === undefined) await server.directory.initialize(server.superuserPassword);
      else await server.directory.restore(options.keptData);
      await server.configure({});
      if (options.keptData !== undefined) await server.directory.runAlone(passwordsSql(server.superuserPassword, rds));
      await server.launch();
      if (rds && options.keptData === undefined) await server.inSession((session) => inOrder(session, rdsRolesSql(rds)));
    });
  }

  get dataDirectory(): string {
    return this.directory.data;
  }

  get pid(): number {
    if (!this.child) throw new Error(`${this.hostName} is stopped`);
    return this.child.pid;
  }

  get isRunning(): boolean {
    return this.child?.isRunning ?? false;
  }

  /** Parameters that it was given and that exist on RDS only. */
  get rdsOnlyParameters(): readonly string[] {
    return Object.keys(this.options.parameters ?? {}).filter(isRdsOnly);
  }

  /** A session of the local superuser, which RDS gives to nobody. The caller ends it. */
  async superuser(database = 'postgres'): Promise<Client> {
    const client = new Client({
      host: this.address,
      port: this.port,
      user: superuserName,
      password: this.superuserPassword,
      database,
      connectionTimeoutMillis: 10_000,
    });
    // Without a listener, a session that the server ends while it is idle ends this process.
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  /** Runs one statement as the superuser and returns its rows. */
  async query<Row extends object>(sql: string, values: readonly unknown[] = [], database?: string): Promise<Row[]> {
    return this.inSession(
      async (session) => (await session.query<Row & Record<string, unknown>>(sql, [...values])).rows,
      database,
    );
  }

  /** Makes a streaming standby of this server and returns once it answers. */
  async startStandby(options: StandbyOptions): Promise<PostgresServer> {
    const { tls, rds } = this.options;
    const standby = new PostgresServer(options.address, await InstanceDirectory.create(), this.superuserPassword, {
      ...options,
      tls,
      rds,
    });
    return standby.orRemoved(async () => {
      const link = await StandbyLink.open(this, options.address);
      standby.link = link;
      await this.inSession((session) => takeBaseBackup(session, this.dataDirectory, standby.dataDirectory));
      await writeFile(join(standby.dataDirectory, 'standby.signal'), '');
      await standby.directory.own();
      await standby.configure(link.settings(superuserName, this.superuserPassword));
      await standby.launch();
      if (options.synchronous) await link.makeSynchronous();
    });
  }

  /** Copies its data to a directory that does not exist yet, for `keptData`. */
  async keepData(target: string): Promise<void> {
    await this.inSession((session) => takeFullBackup(session, this.dataDirectory, target));
  }

  /** Returns once this standby shows what its primary had committed when this was called. */
  async waitForReplay(): Promise<void> {
    if (!this.link) throw new Error(`${this.hostName} is no standby`);
    await this.link.waitForReplay(this);
  }

  /**
   * Makes a primary of this standby; the former primary is forgotten.
   *
   * @throws Error if it is not one within a minute
   */
  async promote(): Promise<void> {
    const [row] = await this.query<{ promoted: boolean }>('SELECT pg_promote(wait_seconds => 60) AS promoted');
    if (!row!.promoted) {
      throw new Error(`${this.hostName} was not promoted within 60 s; the end of its log:\n${this.logTail(8)}`);
    }
    await this.leavePrimary();
  }

  /** The end of its log. */
  logTail(lines?: number): string {
    return this.child?.logTail(lines) ?? '';
  }

  /** User and system CPU of the server and all its processes since it was last started, those that ended included. */
  cpuSeconds(): Promise<number> {
    return processTreeCpuSeconds(this.pid);
  }

  /** Ends every session and starts again with the same data. */
  async restart(): Promise<void> {
    await this.halt('fast');
    await this.launch();
  }

  /** Stops it and removes its data; a primary no longer waits for it. */
  async stop(mode: 'fast' | 'immediate' = 'immediate'): Promise<void> {
    await this.halt(mode);
    await this.directory.remove();
    await this.leavePrimary();
  }

  /** Stops it and keeps its data; `immediate` is a crash. https://www.postgresql.org/docs/17/server-shutdown.html */
  async halt(mode: 'fast' | 'immediate'): Promise<void> {
    await this.child?.stop(mode === 'fast' ? 'SIGINT' : 'SIGQUIT', stopTimeoutMs);
    this.child = undefined;
  }

  private async configure(extra: Readonly<Record<string, string>>): Promise<void> {
    const { tls, parameters = {}, rds } = this.options;
    const settings = {
      ...Object.fromEntries(Object.entries(parameters).filter(([name]) => !isRdsOnly(name))),
      ...(tls && (await this.directory.installCertificate(await tls.issue([this.hostName], [this.address])))),
      listen_addresses: this.address,
      port: String(this.port),
      unix_socket_directories: this.directory.path,
      logging_collector: 'off',
      log_destination: 'stderr',
      ...extra,
    };
    await this.directory.configure(settings, renderPgHba(rds, parameters));
  }

  /** Starts it with the data that it has, and returns once it answers. */
  async launch(): Promise<void> {
    const { postgres } = await postgresEngine();
    const child = new Child({
      name: this.hostName,
      command: postgres,
      args: ['-D', this.dataDirectory],
      uid: unprivilegedUid,
      cwd: this.directory.path,
      // An immediate shutdown: SIGKILL would leave its shared memory behind.
      deathSignal: 'SIGQUIT',
    });
    this.child = child;
    const deadline = Date.now() + startTimeoutMs;
    while (!(await this.directory.isReady(child.pid))) {
      if (!child.isRunning || Date.now() > deadline) {
        throw new Error(
          `PostgreSQL ${this.hostName} did not start on ${this.address}:${this.port}: ${child.complaint()}; the end of its log:\n${child.logTail(8)}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await this.query('SELECT 1');
  }

  private async leavePrimary(): Promise<void> {
    const { link } = this;
    this.link = undefined;
    await link?.close();
  }

  private async inSession<Result>(work: (session: Client) => Promise<Result>, database?: string): Promise<Result> {
    const session = await this.superuser(database);
    try {
      return await work(session);
    } finally {
      await session.end();
    }
  }

  /** Runs the start; what a failed one leaves is removed. */
  private async orRemoved(start: () => Promise<void>): Promise<this> {
    try {
      await start();
      return this;
    } catch (error) {
      await this.stop('immediate');
      throw error;
    }
  }
}

async function inOrder(session: Client, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await session.query(statement);
}
