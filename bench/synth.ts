import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import Table from 'cli-table3';
import { Option } from 'commander';

import { commandLine } from '../bin/command-line';
import { environments } from '../lib/config/environments';
import { percentile } from '../lib/rehearsal/load/percentile';
import { wholeNumber } from './whole-number';

const { runs, environment } = commandLine('bench:synth')
  .description('Measures the CPU time of synths and of a review, in turn in each run, and compares it with that of an empty CDK app with the same settings.')
  .option('--runs <count>', 'of each; the figures are medians over them', wholeNumber, 5)
  .addOption(new Option('--environment <name>', 'the one that is synthesized and reviewed alone').choices(Object.keys(environments)).default('production'))
  .addHelpText('after', '\nExit codes: 0 every goal reached, 1 one missed, 2 it could not run, 130 interrupted.')
  .parse()
  .opts<{ runs: number; environment: string }>();

const project = join(__dirname, '..');
const directory = mkdtempSync(join(tmpdir(), 'bench-synth-'));
const keptBundles = join(directory, 'cache');
const cli = require.resolve('aws-cdk/bin/cdk');
const appCommand = ['-r', 'ts-node/register/transpile-only'];

interface CdkJson {
  readonly context: Readonly<Record<string, unknown>>;
}
const cdkJson = JSON.parse(readFileSync(join(project, 'cdk.json'), 'utf8')) as CdkJson;
/** What the CLI gives an app besides cdk.json. */
const cliContext = { 'aws:cdk:enable-path-metadata': true, 'aws:cdk:enable-asset-metadata': true, 'aws:cdk:bundling-stacks': ['**'] };

interface Measured {
  readonly what: string;
  readonly args: () => readonly string[];
  readonly cwd: string;
  /** Besides this process's own. */
  readonly variables?: () => Readonly<Record<string, string>>;
  /** A review says by it that there are risks. */
  readonly exitCodes?: readonly number[];
}

/** The app as the CLI starts it, without AWS's rules for templates, which cost the same whatever makes them. */
function app(what: string, cwd: string, file: string, cache: () => string): Measured {
  const variables = () => ({ CDK_OUTDIR: fresh('out'), CDK_CONTEXT_JSON: JSON.stringify({ ...cdkJson.context, ...cliContext }), CDK_VALIDATION: 'false', XDG_CACHE_HOME: cache() });
  return { what, cwd, args: () => [...appCommand, file], variables };
}

function synth(what: string, cwd: string, ...more: readonly string[]): Measured {
  return { what, cwd, args: () => [cli, 'synth', '--quiet', '--no-notices', '--output', fresh('out'), ...more], variables: () => ({ XDG_CACHE_HOME: keptBundles }) };
}

const emptyProject = join(directory, 'empty');
const measured = {
  emptyApp: app('empty app', emptyProject, 'empty.ts', () => keptBundles),
  app: app('app, all environments', project, 'bin/app.ts', () => keptBundles),
  appBundling: app('the same, every function bundled anew', project, 'bin/app.ts', () => fresh('cache')),
  emptySynth: synth('cdk synth of the empty app', emptyProject),
  synth: synth('cdk synth, all environments', project),
  synthOne: synth(`cdk synth of ${environment}`, project, '--context', `environment=${environment}`),
  synthOneAlone: synth(`the same without AWS's rules, as a review does it`, project, '--no-validation', '--context', `environment=${environment}`),
  review: { what: `npm run review of ${environment}`, cwd: project, args: () => [...appCommand, 'bin/review.ts', 'HEAD', '--environment', environment], variables: () => ({ XDG_CACHE_HOME: keptBundles }), exitCodes: [0, 1] },
} satisfies Record<string, Measured>;
type Name = keyof typeof measured;

async function main(): Promise<void> {
  makeEmptyProject();
  const seconds = new Map<Name, number[]>();
  // The first of each fills caches, also those of the operating system, and counts for nothing.
  for (let run = 0; run <= runs; run++) {
    for (const name of Object.keys(measured) as Name[]) {
      process.stderr.write(`${run === 0 ? 'warming up' : `run ${run} of ${runs}`}: ${measured[name].what}\n`);
      const cpu = await cpuSecondsOf(measured[name]);
      if (run > 0) seconds.set(name, [...(seconds.get(name) ?? []), cpu]);
    }
  }
  process.exitCode = report(seconds) ? 0 : 1;
}

/** The same packages, compiler and feature flags, and one stack with nothing in it. */
function makeEmptyProject(): void {
  for (const made of [emptyProject, keptBundles]) mkdirSync(made);
  for (const file of ['tsconfig.json', 'package.json', '.swcrc']) cpSync(join(project, file), join(emptyProject, file));
  symlinkSync(join(project, 'node_modules'), join(emptyProject, 'node_modules'));
  writeFileSync(join(emptyProject, 'cdk.json'), JSON.stringify({ ...cdkJson, app: `node ${appCommand.join(' ')} empty.ts` }));
  writeFileSync(join(emptyProject, 'empty.ts'), "import { App, Stack } from 'aws-cdk-lib/core';\n\nconst app = new App();\nnew Stack(app, 'empty');\napp.synth();\n");
}

let directories = 0;
function fresh(name: string): string {
  const made = join(directory, `${name}-${++directories}`);
  mkdirSync(made);
  return made;
}

/** User and system time of the command and of everything that it waited for. */
async function cpuSecondsOf({ what, cwd, args, variables, exitCodes = [0] }: Measured): Promise<number> {
  const before = childrenCpuSeconds();
  const child = spawn(process.execPath, args(), { cwd, env: { ...process.env, ...variables?.() }, stdio: ['ignore', 'ignore', 'pipe'] });
  const said: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code === null || !exitCodes.includes(code)) throw new Error(`${what} ended with ${code ?? 'a signal'}:\n${said.join('')}`);
  return childrenCpuSeconds() - before;
}

/** Of every child that has ended, and of theirs. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
function childrenCpuSeconds(): number {
  const afterName = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]!.split(' ');
  const [user, system] = [afterName[13], afterName[14]].map(Number);
  return (user! + system!) / 100; // a tick is 10 ms on every Linux that Node.js runs on
}

/** Prints the table and the goals; false if one was missed. */
function report(seconds: ReadonlyMap<Name, readonly number[]>): boolean {
  const median = (name: Name): number => percentile(seconds.get(name)!, 50);
  const ratio = (name: Name, to: Name): number => median(name) / median(to);
  const table = new Table({ head: ['', 'CPU, s', 'from', 'to', '÷ empty'], colAligns: ['left', 'right', 'right', 'right', 'right'], style: { head: [], border: [] } });
  for (const name of Object.keys(measured) as Name[]) {
    const values = seconds.get(name)!;
    const empty: Name = name.startsWith('app') || name === 'emptyApp' ? 'emptyApp' : 'emptySynth';
    table.push([measured[name].what, median(name).toFixed(2), Math.min(...values).toFixed(2), Math.max(...values).toFixed(2), ratio(name, empty).toFixed(1)]);
  }
  const goals: readonly (readonly [goal: string, measured: number, most: number])[] = [
    ['app ÷ empty app', ratio('app', 'emptyApp'), 8],
    [`review of ${environment} ÷ its synth without AWS's rules`, ratio('review', 'synthOneAlone'), 2.5],
  ];
  process.stdout.write(`${table.toString()}\nMedians over ${runs} runs, in turn; user and system time of the command and all that it started. Only cdk synth checks AWS's rules for templates, where nothing else is said.\n\n`);
  for (const [goal, value, most] of goals) process.stdout.write(`${value <= most ? 'reached' : 'missed '}  ${goal}: ${value.toFixed(2)} (at most ${most})\n`);
  return goals.every(([, value, most]) => value <= most);
}

process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
});
