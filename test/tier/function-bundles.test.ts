import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { Architecture, Function, Runtime } from 'aws-cdk-lib/aws-lambda';
import { Stack } from 'aws-cdk-lib/core';

import type { functionCode } from '../../lib/tier/function-bundles';
import { testApp } from '../synthesize';

const project = join(__dirname, '../..');
let directory: string;
let cache: string;

/** The smoke check as a synth would deploy it, by code that has just been loaded. */
const bundle = (): string => readFileSync(join(bundleDirectory(), 'index.js'), 'utf8');

function bundleDirectory(files?: Readonly<Record<string, string>>): string {
  jest.resetModules();
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the folder is made here
  const { functionCode: code } = require(join(directory, 'lib/tier/function-bundles')) as { functionCode: typeof functionCode };
  // Modules that are loaded anew forget what they would have removed.
  const app = testApp({ outdir: mkdtempSync(join(directory, 'cdk.out-')), context: { 'aws:cdk:bundling-stacks': ['**'] } });
  const entry = join(directory, 'lib/tier/smoke-check/smoke-check.lambda.ts');
  new Function(new Stack(app, 'stack'), 'Check', { code: code(entry, files), handler: 'index.handler', runtime: Runtime.NODEJS_24_X, architecture: Architecture.ARM_64 });
  app.synth();
  const asset = readdirSync(app.outdir).find((name) => /^asset\.[0-9a-f]{64}$/.test(name));
  return join(app.outdir, asset!);
}

const keptBundles = (): readonly string[] => readdirSync(join(cache, 'bookedbarber-database-tier'));

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'function-bundles-test-'));
  cache = join(directory, 'cache');
  mkdirSync(cache);
  cpSync(join(project, 'lib'), join(directory, 'lib'), { recursive: true });
  cpSync(join(project, 'tsconfig.json'), join(directory, 'tsconfig.json'));
  symlinkSync(join(project, 'node_modules'), join(directory, 'node_modules'));
  process.env.XDG_CACHE_HOME = cache;
});
afterAll(() => {
  delete process.env.XDG_CACHE_HOME;
  rmSync(directory, { recursive: true, force: true });
});

describe('bundles of functions', () => {
  it('hold all that a function needs, are kept for the next synth, and made anew for other sources', () => {
    const first = bundle();
    writeFileSync(join(directory, 'index.js'), first);
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- what Lambda does
    expect((require(join(directory, 'index.js')) as { handler: unknown }).handler).toBeInstanceOf(globalThis.Function);

    const [kept] = keptBundles();
    const file = join(cache, 'bookedbarber-database-tier', kept!, 'smoke-check/smoke-check.lambda.js');
    writeFileSync(file, '// kept');
    expect(bundle()).toBe('// kept');

    appendFileSync(join(directory, 'lib/tier/smoke-check/smoke-table.ts'), '\n// another source\n');
    expect(bundle()).toBe(first);
    expect(keptBundles()).toHaveLength(2);
  });

  it('have files of theirs beside them, and a hash that changes with these', () => {
    const [one, another] = ['one', 'another'].map((text) => bundleDirectory({ 'authorities.pem': text }));
    expect(readFileSync(join(one!, 'authorities.pem'), 'utf8')).toBe('one');
    expect(readFileSync(join(another!, 'authorities.pem'), 'utf8')).toBe('another');
    expect(basename(one!)).not.toBe(basename(another!));
  });
});
