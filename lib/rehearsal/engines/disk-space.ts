import { statfs } from 'node:fs/promises';

const mib = 2 ** 20;
/** An empty instance with its WAL. */
const mibPerInstance = 400;
/** Of an appointment with its payment, events, reviews and the indexes on them, and the WAL that made them. */
const bytesPerRow = 900;

/** @throws Error if the file system has too little room for so many instances with such a sample */
export async function assertRoom(directory: string, instances: number, rows: number): Promise<void> {
  const needed = Math.ceil(instances * (mibPerInstance + (rows * bytesPerRow) / mib));
  const { bavail, bsize } = await statfs(directory);
  const free = Math.floor((bavail * bsize) / mib);
  if (free >= needed) return;
  throw new Error(
    `${directory} has ${free.toLocaleString('en-US')} MiB free, and ${instances} instances with ${rows.toLocaleString('en-US')} appointments need about ${needed.toLocaleString('en-US')} MiB; ` +
      'free some, name another directory in TMPDIR, or lower --rows',
  );
}
