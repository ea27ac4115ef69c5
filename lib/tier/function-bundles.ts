import { execFileSync } from 'node:child_process';
import { copyFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

import { Code } from 'aws-cdk-lib/aws-lambda';
import { AssetHashType, DockerImage } from 'aws-cdk-lib/core';

import { keptForNextSynth } from '../synth-cache';

const esbuild = join(__dirname, '../../node_modules/esbuild/bin/esbuild');
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

/** Directory with the bundle of every function. One run of esbuild makes all of them, which costs a fifth of a run for each. */
function bundles(): string {
  return keptForNextSynth('function-bundles', runEsbuild);
}

function runEsbuild(directory: string): void {
  const entries = (readdirSync(__dirname, { recursive: true }) as string[]).filter((file) => file.endsWith('.lambda.ts')).map((file) => join(__dirname, file)).sort();
  execFileSync(esbuild, [...entries, `--outdir=${directory}`, `--outbase=${__dirname}`, ...options], { stdio: ['ignore', 'ignore', 'pipe'] });
}
