import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';

const project = join(__dirname, '..');
/** Written by npm beside what it installed. */
const installed = join(project, 'node_modules/.package-lock.json');

const made = new Map<string, string>();

/**
 * A directory that costs a synth more than the rest of it: made once for the same sources with the same packages, as npm
 * installed them, and kept in `XDG_CACHE_HOME` or `~/.cache`.
 *
 * @param make fills the directory; what it throws is thrown, and nothing kept
 */
export function keptForNextSynth(name: string, make: (directory: string) => void): string {
  const path = made.get(name) ?? keep(name, make);
  made.set(name, path);
  return path;
}

function keep(name: string, make: (directory: string) => void): string {
  const cache = cacheDirectory();
  const kept = cache && join(cache, `${name}-${sourcesHash()}`);
  if (kept !== undefined && existsSync(kept)) {
    utimesSync(kept, new Date(), new Date());
    return kept;
  }
  const directory = mkdtempSync(join(cache ?? tmpdir(), `${name}.`));
  try {
    make(directory);
    if (kept === undefined) {
      process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
      return directory;
    }
    renameSync(directory, kept);
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    // Another synth was faster.
    if (kept === undefined || !existsSync(kept)) throw error;
  }
  prune(cache!, `${name}-`);
  return kept;
}

let hash: string | undefined;

function sourcesHash(): string {
  if (hash !== undefined) return hash;
  const lib = (readdirSync(__dirname, { recursive: true }) as string[]).filter((file) => /\.(ts|json)$/.test(file)).sort();
  const sum = createHash('sha256');
  for (const file of [installed, join(project, 'tsconfig.json'), ...lib.map((name) => join(__dirname, name))]) {
    sum.update(`\0${relative(project, file)}\0`).update(readFileSync(file));
  }
  return (hash = sum.digest('hex').slice(0, 32));
}

/** Undefined where nothing can be kept: no home, or packages of which npm did not write what they are. */
function cacheDirectory(): string | undefined {
  // eslint-disable-next-line no-restricted-properties -- a property of the machine, like PATH
  const base = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  if (!existsSync(dirname(base)) || !existsSync(installed)) return undefined;
  const directory = join(base, 'bookedbarber-database-tier');
  try {
    mkdirSync(directory, { recursive: true });
    return directory;
  } catch {
    return undefined;
  }
}

/** Some revisions are compared again and again; the rest is never asked for any more. */
function prune(cache: string, prefix: string): void {
  const kept = readdirSync(cache).filter((name) => name.startsWith(prefix)).map((name) => join(cache, name));
  const used = kept.map((path) => ({ path, at: statSync(path).mtimeMs })).sort((a, b) => b.at - a.at);
  for (const { path } of used.slice(12)) rmSync(path, { recursive: true, force: true });
}
