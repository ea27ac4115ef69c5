import { randomBytes } from 'node:crypto';
import { chmod, chown, cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Client } from 'pg';

import type { CertificateAuthority } from './certificate-authority';
import { Child, run } from './child';
import { postgresEngine } from './postgres-engine';
import { type RdsIdentity, rdsRolesSql, renderPgHba, renderPostgresqlConf, superuserName } from './postgres-files';
import { processTreeCpuSeconds } from './process-cpu';
import { runsAsRoot, unprivilegedUid } from './unprivileged-user';

export interface PostgresPlace {
  /** Loopback address on which it listens. */
  readonly address: string;
  /** @default 5432 */
  readonly port?: number;
  /** Name in its certificate. @default - the address */
  readonly hostName?: string;
  /** Server settings, as in a parameter group; `rds.*` is left out. @default - PostgreSQL's own */
  readonly parameters?: Readonly<Record<string, string>>;
}

export interface PostgresServerOptions extends PostgresPlace {
  /** Signs its certificate. @default - no TLS */
  readonly tls?: CertificateAuthority;
  /** Withhold what RDS withholds. @default - a plain server */
  readonly rds?: RdsIdentity;
}

export interface StandbyOptions extends PostgresPlace {
  /** Commits on the primary wait for it. @default false */
  readonly synchronous?: boolean;
}

/** A real PostgreSQL 17 on this machine: an instance of its own directory, which it takes with it when it stops. */
export class PostgresServer {
  readonly port: number;
  readonly hostName: string;
  private child?: Child;

  private constructor(
    readonly address: string,
    /** Holds the data directory, the certificate and the socket. */
    private readonly directory: string,
    private readonly superuserPassword: string,
    private readonly options: PostgresServerOptions,
  ) {
    this.port = options.port ?? 5432;
    this.hostName = options.hostName ?? address;
  }

  /** Makes a new instance and returns once it answers. */
  static async start(options: PostgresServerOptions): Promise<PostgresServer> {
    const server = new PostgresServer(options.address, await makeDirectory(), randomBytes(24).toString('hex'), options);
    return server.orRemoved(async () => {
      await server.initialize();
      await server.run();
      if (options.rds) await server.imitateRds(options.rds);
    });
  }

  get dataDirectory(): string {
    return join(this.directory, 'data');
  }

  get pid(): number {
    if (!this.child) throw new Error(`${this.hostName} is stopped`);
    return this.child.pid;
  }

  /** A session of the local superuser, which RDS gives to nobody. The caller ends it. */
  async superuser(database = 'postgres'): Promise<Client> {
    const client = new Client({ host: this.address, port: this.port, user: superuserName, password: this.superuserPassword, database });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  /** Runs one statement as the superuser and returns its rows. */
  async query<Row extends object>(sql: string, values: readonly unknown[] = [], database?: string): Promise<Row[]> {
    const client = await this.superuser(database);
    try {
      return (await client.query<Row & Record<string, unknown>>(sql, [...values])).rows;
    } finally {
      await client.end();
    }
  }

  /**
   * A streaming standby of this server.
   *
   * @see https://www.postgresql.org/docs/17/continuous-archiving.html#BACKUP-LOWLEVEL-BASE-BACKUP
   */
  async startStandby(options: StandbyOptions): Promise<PostgresServer> {
    const standby = new PostgresServer(options.address, await makeDirectory(), this.superuserPassword, { ...options, tls: this.options.tls, rds: this.options.rds });
    const slot = `standby_${standby.address.replace(/\./g, '_')}`;
    return standby.orRemoved(async () => {
      const client = await this.superuser();
      try {
        await client.query("SELECT pg_create_physical_replication_slot($1, true)", [slot]);
        await client.query("SELECT pg_backup_start('standby', fast => true)");
        await copyDataDirectory(this.dataDirectory, standby.dataDirectory);
        const { rows } = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(wait_for_archive => false)');
        await writeFile(join(standby.dataDirectory, 'backup_label'), rows[0]!.labelfile);
      } finally {
        await client.end();
      }
      const source = `host=${this.address} port=${this.port} user=${superuserName} password=${this.superuserPassword} application_name=${slot}`;
      await writeFile(join(standby.dataDirectory, 'standby.signal'), '');
      await standby.configure({ primary_conninfo: source, primary_slot_name: slot });
      await standby.run();
      if (options.synchronous) {
        await this.query(`ALTER SYSTEM SET synchronous_standby_names = '${slot}'`);
        await this.query('SELECT pg_reload_conf()');
      }
    });
  }

  /** The end of its log. */
  logTail(lines?: number): string {
    return this.child?.logTail(lines) ?? '';
  }

  /** User and system CPU of the server and all its processes since it started, those that ended included. */
  cpuSeconds(): Promise<number> {
    return processTreeCpuSeconds(this.pid);
  }

  /** Ends every session and starts again with the same data. */
  async restart(): Promise<void> {
    await this.halt('fast');
    await this.run();
  }

  /** Stops it and removes its data. */
  async stop(mode: 'fast' | 'immediate' = 'immediate'): Promise<void> {
    await this.halt(mode);
    await rm(this.directory, { recursive: true, force: true });
  }

  private async halt(mode: 'fast' | 'immediate'): Promise<void> {
    // https://www.postgresql.org/docs/17/server-shutdown.html
    await this.child?.stop(mode === 'fast' ? 'SIGINT' : 'SIGQUIT', 30_000);
    this.child = undefined;
  }

  private async initialize(): Promise<void> {
    const { initdb } = await postgresEngine();
    const passwordFile = join(this.directory, 'password');
    await writeFile(passwordFile, this.superuserPassword, { mode: 0o600 });
    await own(passwordFile);
    const args = ['-D', this.dataDirectory, '-U', superuserName, '--pwfile', passwordFile, '-A', 'scram-sha-256', '-E', 'UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C', '--no-sync', '--no-instructions'];
    await run({ command: initdb, args, uid: unprivilegedUid, cwd: this.directory });
    await rm(passwordFile);
    await this.configure({});
  }

  private async configure(extra: Readonly<Record<string, string>>): Promise<void> {
    const { tls, parameters, rds } = this.options;
    if (tls) {
      const { certificatePem, privateKeyPem } = await tls.issue([this.hostName], [this.address]);
      await writeFile(join(this.directory, 'server.crt'), certificatePem);
      await writeFile(join(this.directory, 'server.key'), privateKeyPem, { mode: 0o600 });
      await own(join(this.directory, 'server.key'));
    }
    const settings = {
      ...parameters,
      listen_addresses: this.address,
      port: String(this.port),
      unix_socket_directories: this.directory,
      logging_collector: 'off',
      log_destination: 'stderr',
      ...(tls && { ssl: 'on', ssl_cert_file: join(this.directory, 'server.crt'), ssl_key_file: join(this.directory, 'server.key') }),
      ...extra,
    };
    await writeFile(join(this.dataDirectory, 'postgresql.conf'), renderPostgresqlConf(settings));
    await writeFile(join(this.dataDirectory, 'pg_hba.conf'), renderPgHba(rds));
    await own(this.dataDirectory);
  }

  private async run(): Promise<void> {
    const { postgres } = await postgresEngine();
    const child = new Child({ name: this.hostName, command: postgres, args: ['-D', this.dataDirectory], uid: unprivilegedUid, cwd: this.directory });
    this.child = child;
    for (;;) {
      try {
        await this.query('SELECT 1');
        return;
      } catch (error) {
        if (!child.isRunning) {
          throw new Error(`PostgreSQL ${this.hostName} did not start on ${this.address}:${this.port}; the end of its log:\n${child.logTail(8)}`, { cause: error });
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  private async imitateRds(identity: RdsIdentity): Promise<void> {
    for (const statement of rdsRolesSql(identity)) await this.query(statement);
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

async function makeDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'postgres-'));
  await chmod(directory, 0o700);
  if (runsAsRoot) await chown(directory, unprivilegedUid, unprivilegedUid);
  return directory;
}

/** Everything but what a standby must not take over. */
async function copyDataDirectory(source: string, target: string): Promise<void> {
  const left = new Set(['postmaster.pid', 'postmaster.opts', 'pg_replslot', 'pg_stat_tmp', 'postgresql.auto.conf']);
  await mkdir(target, { mode: 0o700 });
  for (const name of await readdir(source)) {
    if (!left.has(name)) await cp(join(source, name), join(target, name), { recursive: true, force: true }).catch(ignoreVanished);
  }
  await mkdir(join(target, 'pg_replslot'), { mode: 0o700 });
  await writeFile(join(target, 'postgresql.auto.conf'), '');
  await own(target);
}

/** A file that the running server removed meanwhile is replayed from WAL. */
function ignoreVanished(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

async function own(path: string): Promise<void> {
  if (runsAsRoot) await run({ command: 'chown', args: ['-R', `${unprivilegedUid}:${unprivilegedUid}`, path] });
}
