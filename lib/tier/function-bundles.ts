import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';

import { Code } from 'aws-cdk-lib/aws-lambda';
import { AssetHashType, DockerImage } from 'aws-cdk-lib/core';

const lib = join(__dirname, '..');
const modules = join(lib, '../node_modules');
const bundledSuffix = '.lambda.js';

const options = [
  '--bundle',
  '--platform=node',
  '--format=cjs',
  // Older than the runtime: a rehearsal runs the same file with the Node.js of this machine.
  '--target=node20',
  // Keeps the hash equal between checkouts: without it, esbuild writes the paths of modules into comments.
  '--minify',
  '--keep-names',
  // The AWS SDK goes into the bundle; pg asks for its native twin in a try block.
  '--external:pg-native',
  '--log-level=warning',
] as const;

/**
 * A `*.lambda.ts` with everything that it imports in one file, `index.js`.
 *
 * @param files what lies beside it, by name
 */
export function functionCode(entry: string, files: Readonly<Record<string, string>> = {}): Code {
  return Code.fromAsset(dirname(entry), {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Never used: what follows always succeeds, or throws. It tells the CDK's cache one function from another.
      image: DockerImage.fromRegistry('none'),
      command: [entry, JSON.stringify(files)],
      local: {
        tryBundle: (directory: string) => {
          copyFileSync(join(bundles(), relative(__dirname, entry).replace(/\.lambda\.ts$/, bundledSuffix)), join(directory, 'index.js'));
          for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
          return true;
        },
      },
    },
  });
}

let bundled: string | undefined;

/**
 * Directory with the bundle of every function. One run of esbuild makes all of them, which costs a fifth of a run for
 * each; it is kept for the next synth of the same sources with the same packages, as npm installed them.
 */
function bundles(): string {
  if (bundled !== undefined) return bundled;
  const cache = cacheDirectory();
  const kept = cache && join(cache, `function-bundles-${inputHash()}`);
  if (kept !== undefined && existsSync(kept)) {
    utimesSync(kept, new Date(), new Date());
    return (bundled = kept);
  }
  const made = mkdtempSync(join(cache ?? tmpdir(), 'function-bundles.'));
  try {
    runEsbuild(made);
    if (kept === undefined) {
      process.once('exit', () => rmSync(made, { recursive: true, force: true }));
      return (bundled = made);
    }
    renameSync(made, kept);
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    // Another synth was faster.
    if (kept === undefined || !existsSync(kept)) throw error;
  }
  prune(cache!);
  return (bundled = kept);
}

function runEsbuild(directory: string): void {
  const entries = filesBelow(__dirname).filter((file) => file.endsWith('.lambda.ts'));
  execFileSync(join(modules, 'esbuild/bin/esbuild'), [...entries, `--outdir=${directory}`, `--outbase=${__dirname}`, ...options], { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Of all that a bundle is made from. */
function inputHash(): string {
  const hash = createHash('sha256').update(JSON.stringify(options));
  // Written by npm beside what it installed, esbuild included.
  for (const file of [join(modules, '.package-lock.json'), ...filesBelow(lib).filter((path) => /\.(ts|json)$/.test(path))]) {
    hash.update(`\0${relative(lib, file)}\0`).update(readFileSync(file));
  }
  return hash.digest('hex').slice(0, 32);
}

function filesBelow(directory: string): readonly string[] {
  return (readdirSync(directory, { recursive: true }) as string[]).map((file) => join(directory, file)).sort();
}

/** Undefined where nothing can be kept: no home, or packages of which npm did not write what they are. */
function cacheDirectory(): string | undefined {
  // eslint-disable-next-line no-restricted-properties -- a property of the machine, like PATH
  const base = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  if (!existsSync(dirname(base)) || !existsSync(join(modules, '.package-lock.json'))) return undefined;
  const directory = join(base, 'bookedbarber-database-tier');
  try {
    mkdirSync(directory, { recursive: true });
    return directory;
  } catch {
    return undefined;
  }
}

/** Some revisions are compared again and again; the rest is never asked for any more. */
function prune(cache: string): void {
  const kept = readdirSync(cache).filter((name) => name.startsWith('function-bundles-')).map((name) => join(cache, name));
  const used = kept.map((path) => ({ path, at: statSync(path).mtimeMs })).sort((a, b) => b.at - a.at);
  for (const { path } of used.slice(12)) rmSync(path, { recursive: true, force: true });
}
