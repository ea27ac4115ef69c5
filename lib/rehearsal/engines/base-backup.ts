import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Client } from 'pg';

/**
 * Directories whose content a base backup leaves out: what belongs to the running server, and WAL, which a standby
 * streams from its slot.
 *
 * @see https://www.postgresql.org/docs/17/continuous-archiving.html#BACKUP-LOWLEVEL-BASE-BACKUP-DATA
 */
const emptied = new Set([
  'pg_dynshmem',
  'pg_notify',
  'pg_replslot',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
  'pg_wal',
]);
const leftOut = /^(postmaster\.(pid|opts)|postgresql\.auto\.conf|pg_internal\.init.*|pgsql_tmp.*)$/;

/**
 * Copies the data directory of a running server; it becomes consistent by replaying the server's WAL.
 *
 * @param session of a superuser or of who may start backups
 */
export async function takeBaseBackup(session: Client, source: string, target: string): Promise<void> {
  await session.query("SELECT pg_backup_start('standby', fast => true)");
  await copyDirectory(source, target, emptied);
  const { rows } = await session.query<{ labelfile: string }>(
    'SELECT labelfile FROM pg_backup_stop(wait_for_archive => false)',
  );
  await writeFile(join(target, 'backup_label'), rows[0]!.labelfile);
}

/** Copies the data directory of a running server with the WAL that makes it consistent: it starts by itself. */
export async function takeFullBackup(session: Client, source: string, target: string): Promise<void> {
  await takeBaseBackup(session, source, target);
  const label = await readFile(join(target, 'backup_label'), 'utf8');
  const first = /^START WAL LOCATION: .*\(file ([0-9A-F]{24})\)$/m.exec(label)?.[1];
  if (first === undefined) throw new Error(`the label of the backup names no WAL file: ${label}`);
  // The end of a backup switches to a new file, so that all before it are whole.
  const { rows } = await session.query<{ name: string }>('SELECT pg_walfile_name(pg_current_wal_insert_lsn()) AS name');
  const needed = (await readdir(join(source, 'pg_wal'))).filter((name) => /^[0-9A-F]{24}$/.test(name) && name >= first && name <= rows[0]!.name);
  await Promise.all(needed.map((name) => copyFile(join(source, 'pg_wal', name), join(target, 'pg_wal', name))));
}

async function copyDirectory(
  source: string,
  target: string,
  withoutContent: ReadonlySet<string> = new Set(),
): Promise<void> {
  await mkdir(target, { mode: 0o700 });
  // Directories and files may vanish under the copy, one by one: WAL tells the standby of it.
  const entries = await readdir(source, { withFileTypes: true }).catch(noneIfVanished);
  await Promise.all(
    entries
      .filter(({ name }) => !leftOut.test(name))
      .map((entry) => {
        const [from, to] = [join(source, entry.name), join(target, entry.name)];
        if (withoutContent.has(entry.name)) return mkdir(to, { mode: 0o700 });
        return entry.isDirectory() ? copyDirectory(from, to) : copyFile(from, to).catch(noneIfVanished);
      }),
  );
}

function noneIfVanished(error: NodeJS.ErrnoException): never[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
