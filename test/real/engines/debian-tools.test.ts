import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { run } from '../../../lib/rehearsal/engines/child';
import { unpackDebianPackages } from '../../../lib/rehearsal/engines/debian-packages';
import { debianTools, type Tool } from '../../../lib/rehearsal/engines/debian-tools';
import { installedTools } from '../../../lib/rehearsal/engines/installed-tools';
import { unprivilegedUid } from '../../../lib/rehearsal/engines/unprivileged-user';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tools-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function printed({ command, args }: Tool, flag: string): Promise<string> {
  return (await run({ command, args: [...args, flag], uid: unprivilegedUid })).stdout;
}

describe("Debian's tools", () => {
  it('are those of the release of the image, and run as an unprivileged user', async () => {
    const { pgbouncer, pgbench, psql, haproxy, openssl } = await debianTools();
    expect(await printed(pgbouncer, '--version')).toMatch(/^PgBouncer 1\.24\.1/);
    expect(await printed(pgbench, '--version')).toMatch(/^pgbench \(PostgreSQL\) 17\./);
    expect(await printed(psql, '--version')).toMatch(/^psql \(PostgreSQL\) 17\./);
    expect(await printed(haproxy, '-v')).toMatch(/^HAProxy version 3\./);
    expect(await printed(openssl, 'version')).toMatch(/^OpenSSL 3\./);
  });

  it('are unpacked once', async () => {
    await debianTools();
    const progress: string[] = [];
    await debianTools((what) => progress.push(what));
    expect(progress).toEqual([]);
  });

  it('are not had from a mirror that nobody answers for, and nothing is left', async () => {
    const unpacking = unpackDebianPackages({ packages: ['pgbouncer'] }, 'http://127.31.0.99:1/debian', directory, () => undefined);
    await expect(unpacking).rejects.toThrow(/^apt-get failed \(exit code 100\): .*127\.31\.0\.99/s);
    expect(await readdir(directory)).toEqual([]);
  });
});

describe('installed tools', () => {
  const versions: Readonly<Record<string, string>> = {
    pgbouncer: 'PgBouncer 1.23.1\\nlibevent 2.1.12-stable',
    haproxy: 'HAProxy version 2.8.5-1ubuntu3 2024/04/01 - https://haproxy.org/',
    pgbench: 'pgbench (PostgreSQL) 16.4 (Ubuntu 16.4-0ubuntu0.24.04.2)',
    psql: 'psql (PostgreSQL) 18beta1',
    openssl: 'OpenSSL 3.0.13 30 Jan 2024 (Library: OpenSSL 3.0.13 30 Jan 2024)',
  };

  async function install(programs: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, version] of Object.entries(programs)) {
      const path = join(directory, name);
      await writeFile(path, `#!/bin/sh\necho "${version}"\n`);
      await chmod(path, 0o755);
    }
  }

  it('are taken from the search path', async () => {
    await install(versions);
    const tools = await installedTools(directory);
    expect(tools.pgbouncer).toEqual({ command: join(directory, 'pgbouncer'), args: [] });
    expect(Object.keys(tools).sort()).toEqual(['haproxy', 'openssl', 'pgbench', 'pgbouncer', 'psql']);
    expect(Object.values(tools).every(({ command }) => existsSync(command))).toBe(true);
  });

  it('are refused if they are too old or say no version, all at once', async () => {
    await install({ ...versions, pgbouncer: 'PgBouncer 1.22.0', haproxy: 'HA-Proxy version 1.9.16', psql: 'psql' });
    await expect(installedTools(directory)).rejects.toThrow(
      `${directory}/pgbouncer is 1.22, at least 1.23 is needed; ${directory}/haproxy is 1.9, at least 2.4 is needed; ${directory}/psql is of an unknown version, at least 15.0 is needed`,
    );
  });

  it('are missed by name', async () => {
    const { pgbench, ...others } = versions;
    await install(others);
    await expect(installedTools(directory)).rejects.toThrow('pgbench is not installed');
    await install({ pgbench: pgbench! });
    expect((await installedTools(directory)).pgbench.command).toBe(join(directory, 'pgbench'));
  });
});
