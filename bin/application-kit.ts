import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';

import { writeApplicationKit } from '../lib/application-kit/application-kit';
import { readTierFacts, type StackOutputs } from '../lib/application-kit/tier-facts';
import { readEnvironment } from '../lib/assembly/environment-assembly';
import { synthesize } from '../lib/rehearsal/synthesize';
import { commandLine } from './command-line';
import { assertWritableDirectory } from './writable';

interface Options {
  readonly environment: string;
  readonly out: string;
  readonly assembly?: string;
  readonly outputs?: string;
}

const options = commandLine('application-kit')
  .description(
    'Writes what an application needs to use the tier of an environment: URLs, driver settings, a ready database.py ' +
      '(SQLAlchemy 1.4 and 2), modules for asyncpg, psycopg 3 and node-postgres, and what transaction pooling forbids.\n' +
      'Made from the synthesized template; needs neither network nor credentials.',
  )
  .option('-e, --environment <name>', 'environment of lib/config/environments.ts', 'production')
  .option('-o, --out <dir>', 'where it is written', 'application-kit')
  .option('-a, --assembly <dir>', 'take this cloud assembly instead of synthesizing one')
  .option('--outputs <file>', 'what "cdk deploy --outputs-file" wrote: puts the endpoints in; without, they are read from SSM when the application starts')
  .addHelpText('after', '\nExit codes: 0 written, 2 not, 130 interrupted.')
  .parse()
  .opts<Options>();

const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupt.abort());

write(options).catch((error: Error) => {
  if (!interrupt.signal.aborted) process.stderr.write(`the application kit could not be written: ${error.message}\n`);
  process.exitCode = interrupt.signal.aborted ? 130 : 2;
});

async function write({ environment, out, assembly, outputs }: Options): Promise<void> {
  assertWritableDirectory(out, '--out');
  const deployed = outputs === undefined ? undefined : readOutputs(outputs);
  const synthesized = mkdtempSync(join(tmpdir(), 'application-kit-'));
  try {
    if (assembly === undefined) {
      process.stderr.write(`synthesizing ${environment}\n`);
      await synthesize(environment, synthesized, interrupt.signal);
    }
    const stacks = readEnvironment(assembly ?? synthesized, environment);
    writeApplicationKit(out, readTierFacts(environment, stacks, deployed), stacks);
  } finally {
    rmSync(synthesized, { recursive: true, force: true });
  }
  process.stdout.write(`application kit of ${environment}: ${relative('', resolve(out, 'README.md'))}\n`);
}

function readOutputs(file: string): StackOutputs {
  const wanted = `${file} is not what "cdk deploy --outputs-file" writes`;
  let outputs: unknown;
  try {
    outputs = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`${wanted}: ${(error as Error).message}`, { cause: error });
  }
  if (typeof outputs !== 'object' || outputs === null || Array.isArray(outputs)) throw new Error(`${wanted}: it is no object of stacks`);
  return outputs as StackOutputs;
}
