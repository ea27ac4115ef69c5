import Table from 'cli-table3';
import { type Command, Option } from 'commander';
import type { Client } from 'pg';

import { environments } from '../lib/config/environments';
import { resolveConfig } from '../lib/config/resolve-config';
import type { TierConfig } from '../lib/config/tier-config';
import { connectionHelp, connectionOf } from '../lib/postgres/url-connection';
import { indexCatalogue, type IndexCatalogue } from '../lib/tier/indexes/index-catalogue';
import { type IndexLine, planLines, statusLines } from '../lib/tier/indexes/index-plan';
import { catalogueFromProperties } from '../lib/tier/indexes/index-properties';
import { IndexReconciler, type IndexStatus } from '../lib/tier/indexes/index-reconciler';
import { withPrepared } from '../lib/tier/indexes/index-session';
import { acceptAgain, readCatalogue } from '../lib/tier/indexes/index-store';
import { describeWait } from '../lib/tier/indexes/build-waits';
import { commandLine } from './command-line';

/** 0: nothing refused, 1: something is refused or failed, 2: the database could not be looked at. */
const exitCodes = { fine: 0, refused: 1, couldNotLook: 2 } as const;

interface Options {
  readonly url: string;
  readonly ca?: string;
  readonly environment: string;
  readonly json: boolean;
}

const program = commandLine('indexes')
  .description('Shows what a deploy would do to the indexes of a database, or how far it is.')
  .addHelpText('afterAll', `\n${connectionHelp}\n\nExit codes: 0 nothing refused, 1 something refused or failed, 2 the database could not be looked at.`);
addShowing(program.command('plan').description("what a deploy of an environment's list of indexes would do; changes nothing")).action((options: Options) => show(options, planned));
addShowing(program.command('status').description('how far the last deploy is, who is waited for, and what has drifted; changes nothing')).action((options: Options) => show(options, reached));
addAddress(program.command('retry').description('has the scheduled function build again what was given up or has drifted, as a deploy of the same list would')).action(retry);
program.parse();

function addAddress(command: Command): Command {
  return command
    .addOption(new Option('-u, --url <url>', 'the primary itself, as postgresql://user@host:5432/database?sslmode=verify-full').makeOptionMandatory())
    .option('--ca <file>', "certificate authorities in PEM that the server's certificate must come from");
}

function addShowing(command: Command): Command {
  return addAddress(command)
    .addOption(new Option('-e, --environment <name>', 'whose list of indexes').choices(Object.keys(environments)).default('production'))
    .option('--json', 'as JSON', false);
}

interface Shown {
  readonly status: IndexStatus;
  /** Over what the lines say of each index. */
  readonly heading: string;
  readonly lines: readonly IndexLine[];
  /** Of all of them. @default - nothing to say */
  readonly outcome?: string;
}

async function planned(connect: () => Promise<Client>, { environment }: Options): Promise<Shown> {
  const accepted = await withPrepared(connect, readCatalogue);
  const status = await reconcilerFor(connect, catalogueOf(environment), (accepted?.generation ?? 0) + 1).status();
  const lines = planLines(status);
  const refused = lines.filter((line) => line.refused).length;
  return { status, heading: 'A DEPLOY WOULD', lines, ...(refused > 0 && { outcome: `${refused} of ${lines.length} ${refused === 1 ? 'is' : 'are'} refused: a deploy would fail, and build nothing` }) };
}

async function reached(connect: () => Promise<Client>, { environment }: Options): Promise<Shown> {
  const accepted = await withPrepared(connect, readCatalogue);
  if (!accepted) process.stderr.write(`no deploy has been here yet; this is the list of ${environment}\n`);
  const catalogue = accepted ? catalogueFromProperties(accepted.properties) : catalogueOf(environment);
  const status = await reconcilerFor(connect, catalogue, accepted?.generation ?? 1).status();
  return { status, heading: 'STATE', lines: statusLines(status) };
}

async function show(options: Options, look: (connect: () => Promise<Client>, options: Options) => Promise<Shown>): Promise<void> {
  try {
    const { status, heading, lines, outcome = [] } = await look(() => connect(options), options);
    if (options.json) process.stdout.write(`${JSON.stringify({ database: status.survey.database, indexes: lines, waits: status.waits, leftovers: status.survey.leftovers }, null, 2)}\n`);
    else process.stdout.write([render(heading, lines), ...[...status.waits.map(describeWait), ...status.survey.leftovers].concat(outcome).map((text) => `\n${text}`)].map((text) => `${text}\n`).join(''));
    process.exitCode = lines.some(({ refused }) => refused) ? exitCodes.refused : exitCodes.fine;
  } catch (error) {
    couldNotLook(error as Error);
  }
}

async function retry(options: Options): Promise<void> {
  try {
    if (!(await withPrepared(() => connect(options), acceptAgain))) return fail('no deploy has been here yet, so there is nothing to try again');
    process.stdout.write('the scheduled function takes it up within five minutes; see: npm run indexes -- status\n');
  } catch (error) {
    couldNotLook(error as Error);
  }
}

function couldNotLook({ message, code }: Error & { readonly code?: string }): void {
  // Of PostgreSQL, that a right is missing.
  const fix = code === '42501' ? '; look as the role that builds, bookedbarber_indexes, or as one with its rights' : '';
  fail(`the database could not be looked at: ${message}${fix}`);
}

function fail(problem: string): void {
  process.stderr.write(`${problem}\n`);
  process.exitCode = exitCodes.couldNotLook;
}

/** Columns without borders; what is long stands below them on a line of its own, so that a statement can be copied. */
function render(heading: string, lines: readonly IndexLine[]): string {
  const borders = ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right', 'left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'];
  const table = new Table({ head: ['INDEX', 'TABLE', heading], chars: { ...Object.fromEntries(borders.map((name) => [name, ''])), middle: '  ' }, style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 } });
  for (const { index, table: of, what } of lines) table.push([index, of, what]);
  const [head, ...rows] = table.toString().split('\n');
  return [head, ...rows.flatMap((row, position) => [row, ...lines[position]!.detail.split('\n').map((line) => `    ${line}`)])].map((line) => line!.trimEnd()).filter((line) => line !== '').join('\n');
}

function catalogueOf(environment: string): IndexCatalogue {
  const config = resolveConfig(environment, (environments as Readonly<Record<string, TierConfig>>)[environment]!);
  return indexCatalogue(config.indexes, config.retiredIndexes);
}

function reconcilerFor(connect: () => Promise<Client>, catalogue: IndexCatalogue, generation: number): IndexReconciler {
  return new IndexReconciler({ connect, catalogue, generation, log: () => undefined });
}

async function connect({ url, ca }: Options): Promise<Client> {
  const connection = connectionOf(url, { ca, environment: process.env, applicationName: 'npm run indexes' });
  if (connection.database === 'pgbouncer') throw new Error('database pgbouncer is the admin console of a pooler; give the URL of the primary itself');
  return connection.connect();
}
