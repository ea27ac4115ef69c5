import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

import { type Browser, launch } from 'puppeteer-core';

import { cachedDirectory } from '../../../lib/rehearsal/engines/cache-directory';
import { run } from '../../../lib/rehearsal/engines/child';

interface Chromium {
  readonly executablePath: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** Starts a Chromium without a window: an installed one, or else the one of the npm package. The caller closes it. */
export async function startBrowser(): Promise<Browser> {
  const { executablePath, environment } = installed() ?? (await packaged());
  return launch({
    executablePath,
    env: { ...process.env, ...environment },
    // It opens nothing but a file that was written here; without a sandbox it also runs as root.
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-dev-shm-usage'],
  });
}

function installed(): Chromium | undefined {
  const paths = (process.env.PATH ?? '').split(delimiter).flatMap((directory) => ['chromium', 'google-chrome'].map((name) => join(directory, name)));
  const executablePath = paths.find(existsSync);
  return executablePath === undefined ? undefined : { executablePath, environment: {} };
}

/**
 * Unpacks the package's browser and its libraries into the cache, once. The package unpacks to the directory for
 * temporary files, and the libraries only where it takes the machine for AWS Lambda.
 */
async function packaged(): Promise<Chromium> {
  if (process.arch !== 'x64') throw new Error(`the npm package @sparticuz/chromium has no browser for ${process.arch}; install one, for example with "apt-get install chromium"`);
  const { version } = JSON.parse(readFileSync(join(dirname(require.resolve('@sparticuz/chromium')), '../../package.json'), 'utf8')) as { version: string };
  const directory = await cachedDirectory(`chromium-${version}`, async (target) => {
    await run({
      name: '@sparticuz/chromium',
      command: process.execPath,
      args: ['--eval', "require('@sparticuz/chromium').executablePath()"],
      environment: { ...process.env, TMPDIR: target, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x' },
      cwd: __dirname,
    });
  });
  return { executablePath: join(directory, 'chromium'), environment: { LD_LIBRARY_PATH: join(directory, 'al2023/lib'), FONTCONFIG_PATH: join(directory, 'fonts') } };
}
