import { chmod, chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ServerCertificate } from './certificate-authority';
import { run } from './child';
import { renderPostgresqlConf } from './postgres-conf';
import { postgresEngine } from './postgres-engine';
import { superuserName } from './rds-imitation';
import { runsAsRoot, unprivilegedUid } from './unprivileged-user';

/** An instance's own directory: its data, certificate and socket, which belong to whom PostgreSQL runs as. */
export class InstanceDirectory {
  private constructor(readonly path: string) {}

  static async create(): Promise<InstanceDirectory> {
    const path = await mkdtemp(join(tmpdir(), 'postgres-'));
    await chmod(path, 0o700);
    if (runsAsRoot) await chown(path, unprivilegedUid, unprivilegedUid);
    return new InstanceDirectory(path);
  }

  get data(): string {
    return join(this.path, 'data');
  }

  /** Makes an empty cluster. */
  async initialize(superuserPassword: string): Promise<void> {
    const { initdb } = await postgresEngine();
    const passwordFile = await this.write('password', superuserPassword);
    const locale = ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'];
    const login = ['--username', superuserName, '--pwfile', passwordFile, '--auth=scram-sha-256'];
    const args = ['--pgdata', this.data, ...login, ...locale, '--no-sync', '--no-instructions'];
    await run({ command: initdb, args, uid: unprivilegedUid, cwd: this.path });
    await rm(passwordFile);
  }

  /** Makes a cluster of a data directory that was kept. */
  async restore(data: string): Promise<void> {
    await run({ command: 'cp', args: ['-R', '--reflink=auto', data, this.data] });
    await chmod(this.data, 0o700); // as PostgreSQL insists
    await this.own();
  }

  /**
   * Runs statements as the superuser, of whom no password is known, in a server that nobody can connect to. What fails
   * shows at the first login. https://www.postgresql.org/docs/17/app-postgres.html#APP-POSTGRES-SINGLE-USER
   */
  async runAlone(statements: readonly string[]): Promise<void> {
    const { postgres } = await postgresEngine();
    await run({
      command: 'bash',
      args: ['-c', 'printf "%s\\n" "$STATEMENTS" | "$0" --single -D "$1" postgres', postgres, this.data],
      environment: { PATH: '/usr/bin:/bin', STATEMENTS: statements.join('\n') },
      uid: unprivilegedUid,
      cwd: this.path,
    });
  }

  /** Writes what the server reads when it starts. */
  async configure(settings: Readonly<Record<string, string>>, pgHba: string): Promise<void> {
    await this.write('data/postgresql.conf', renderPostgresqlConf(settings));
    await this.write('data/pg_hba.conf', pgHba);
  }

  /** Writes the certificate and returns the settings that name it. */
  async installCertificate({
    certificatePem,
    privateKeyPem,
  }: ServerCertificate): Promise<Readonly<Record<string, string>>> {
    return {
      ssl: 'on',
      ssl_cert_file: await this.write('server.crt', certificatePem),
      ssl_key_file: await this.write('server.key', privateKeyPem),
    };
  }

  /**
   * Whether the server of that process id lets sessions in: read where pg_ctl reads it, since an attempt to log in too
   * early would fill the log. https://www.postgresql.org/docs/17/storage-file-layout.html
   */
  async isReady(pid: number): Promise<boolean> {
    const lines = await readFile(join(this.data, 'postmaster.pid'), 'utf8').then(
      (text) => text.split('\n'),
      () => [],
    );
    return lines[0] === String(pid) && lines[7]?.trim() === 'ready';
  }

  /** Hands everything over to whom PostgreSQL runs as. */
  async own(): Promise<void> {
    if (runsAsRoot) await run({ command: 'chown', args: ['-R', `${unprivilegedUid}:${unprivilegedUid}`, this.path] });
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }

  private async write(name: string, text: string): Promise<string> {
    const path = join(this.path, name);
    await writeFile(path, text, { mode: 0o600 });
    if (runsAsRoot) await chown(path, unprivilegedUid, unprivilegedUid);
    return path;
  }
}
