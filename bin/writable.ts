import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Before work that takes minutes, not after it.
 *
 * @param option by which another one is named
 * @throws Error if no file can be written into the directory, or the directory cannot be made
 */
export function assertWritableDirectory(directory: string, option: string): void {
  let existing = resolve(directory);
  while (!existsSync(existing)) existing = dirname(existing);
  if (!statSync(existing).isDirectory()) throw new Error(`${directory} cannot be written: ${existing} is no directory; name another one with ${option}`);
  assertWritable(existing, directory, `name another directory with ${option}`);
}

/** @throws Error if the file cannot be written, or its directory is not there */
export function assertWritableFile(file: string, option: string): void {
  const fix = `name another file with ${option}`;
  if (existsSync(file)) {
    if (statSync(file).isDirectory()) throw new Error(`${file} cannot be written: it is a directory; ${fix}`);
    return assertWritable(file, file, fix);
  }
  const directory = dirname(resolve(file));
  if (!existsSync(directory)) throw new Error(`${file} cannot be written: there is no directory ${directory}; make it, or ${fix}`);
  assertWritable(directory, file, fix);
}

function assertWritable(existing: string, wanted: string, fix: string): void {
  try {
    accessSync(existing, constants.W_OK);
  } catch (error) {
    throw new Error(`${wanted} cannot be written: ${existing} may not be changed by this user (${(error as NodeJS.ErrnoException).code}); ${fix}`, { cause: error });
  }
}
