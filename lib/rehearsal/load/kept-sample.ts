import { createHash } from 'node:crypto';
import { readdir, readFile, utimes } from 'node:fs/promises';
import { join } from 'node:path';

import type { AssemblyStack } from '../../assembly/environment-assembly';
import { cachedDirectory, findCachedDirectory, pruneCache } from '../engines/cache-directory';
import { postgresEngine } from '../engines/postgres-engine';
import type { PostgresServer } from '../engines/postgres-server';

const prefix = 'sample-';
/** Each is some hundred MiB. */
const mostKept = 3;
const project = join(__dirname, '../../..');
/** Whatever writes into a data directory before it is kept, besides the functions, whose hashes stand in the template. */
const writers = ['assets/booking-sample', 'lib/rehearsal/engines', 'lib/rehearsal/load'];

/** A primary's data directory with the sample in it, kept between rehearsals of the same template, rows and PostgreSQL. */
export class KeptSample {
  private constructor(
    private readonly name: string,
    /** Where it is; undefined if it has not been kept yet. */
    readonly data: string | undefined,
  ) {}

  static async of(stacks: readonly AssemblyStack[], rows: number): Promise<KeptSample> {
    const name = `${prefix}${await stampOf(stacks, rows)}`;
    const directory = findCachedDirectory(name);
    // What is used is not pruned.
    if (directory) await utimes(directory, new Date(), new Date());
    return new KeptSample(name, directory && join(directory, 'data'));
  }

  /** Keeps the data of a server, once its sample is whole. */
  async keep(server: PostgresServer): Promise<void> {
    await cachedDirectory(this.name, (directory) => server.keepData(join(directory, 'data')));
    await pruneCache(prefix, mostKept);
  }
}

async function stampOf(stacks: readonly AssemblyStack[], rows: number): Promise<string> {
  const { postgres } = await postgresEngine(); // its path names its version and what was changed in it
  const hash = createHash('sha256').update(JSON.stringify([rows, postgres, stacks.map(({ template }) => template)]));
  for (const directory of writers) {
    const names = (await readdir(join(project, directory))).sort();
    for (const name of names) hash.update(`\0${name}\0`).update(await readFile(join(project, directory, name)));
  }
  return hash.digest('hex').slice(0, 32);
}
