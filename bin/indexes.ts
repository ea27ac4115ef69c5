import { readFileSync } from 'node:fs';

import Table from 'cli-table3';
import { Command, Option } from 'commander';
import { Client, type ClientConfig } from 'pg';

import { environments } from '../lib/config/environments';
import { resolveConfig } from '../lib/config/resolve-config';
import type { TierConfig } from '../lib/config/tier-config';
import { indexCatalogue, type IndexCatalogue } from '../lib/tier/indexes/index-catalogue';
import { type IndexLine, planLines, statusLines } from '../lib/tier/indexes/index-plan';
import { catalogueFromProperties } from '../lib/tier/indexes/index-properties';
import { IndexReconciler, type IndexStatus } from '../lib/tier/indexes/index-reconciler';
import { type AcceptedCatalogue, readCatalogue } from '../lib/tier/indexes/index-store';
import { describeWait } from '../lib/tier/indexes/build-waits';

/** 0: nothing refused, 1: something is refused or failed, 2: the database could not be looked at. */
const exitCodes = { fine: 0, refused: 1, couldNotLook: 2 } as const;

interface Options {
  readonly url: string;
  readonly ca?: string;
  readonly environment: string;
  readonly json: boolean;
}

const program = new Command('npm run indexes --')
  .description('Shows what a deploy would do to the indexes of a database, or how far it is. Changes nothing.')
  .addHelpText('after', '\nExit codes: 0 nothing refused, 1 something refused or failed, 2 the database could not be looked at.')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? exitCodes.fine : exitCodes.couldNotLook));
addOptions(program.command('plan').description("what a deploy of an environment's list of indexes would do")).action((options: Options) => show(options, planned));
addOptions(program.command('status').description('how far the last deploy is, who is waited for, and what has drifted')).action((options: Options) => show(options, reached));
program.parse();

function addOptions(command: Command): Command {
  return command
    .addOption(new Option('-u, --url <url>', 'the primary itself, as postgresql://user@host:5432/database?sslmode=require; the password may stand in PGPASSWORD').makeOptionMandatory())
    .option('--ca <file>', "certificate authorities in PEM that the server's certificate must come from; without, it is encrypted but not verified")
    .addOption(new Option('-e, --environment <name>', 'whose list of indexes').choices(Object.keys(environments)).default('production'))
    .option('--json', 'as JSON', false);
}

interface Shown {
  readonly status: IndexStatus;
  readonly lines: readonly IndexLine[];
}

async function planned(connect: () => Promise<Client>, { environment }: Options): Promise<Shown> {
  const accepted = await acceptedCatalogue(connect);
  const status = await reconcilerFor(connect, catalogueOf(environment), (accepted?.generation ?? 0) + 1).status();
  return { status, lines: planLines(status) };
}

async function reached(connect: () => Promise<Client>, { environment }: Options): Promise<Shown> {
  const accepted = await acceptedCatalogue(connect);
  if (!accepted) process.stderr.write(`no deploy has been here yet; this is the list of ${environment}\n`);
  const catalogue = accepted ? catalogueFromProperties(accepted.properties) : catalogueOf(environment);
  const status = await reconcilerFor(connect, catalogue, accepted?.generation ?? 1).status();
  return { status, lines: statusLines(status) };
}

async function show(options: Options, look: (connect: () => Promise<Client>, options: Options) => Promise<Shown>): Promise<void> {
  try {
    const config = clientConfig(options);
    const { status, lines } = await look(() => connect(config), options);
    if (options.json) process.stdout.write(`${JSON.stringify({ database: status.survey.database, indexes: lines, waits: status.waits, leftovers: status.survey.leftovers }, null, 2)}\n`);
    else process.stdout.write(`${render(lines)}\n${[...status.waits.map(describeWait), ...status.survey.leftovers].join('\n')}\n`);
    process.exitCode = lines.some(({ refused }) => refused) ? exitCodes.refused : exitCodes.fine;
  } catch (error) {
    process.stderr.write(`the database could not be looked at: ${(error as Error).message}\n`);
    process.exitCode = exitCodes.couldNotLook;
  }
}

function render(lines: readonly IndexLine[]): string {
  const table = new Table({ head: ['index', 'table', '', ''], colWidths: [null, null, 28, 70], wordWrap: true, style: { head: [], border: [] } });
  for (const { index, table: of, what, detail } of lines) table.push([index, of, what, detail]);
  return table.toString();
}

function catalogueOf(environment: string): IndexCatalogue {
  const config = resolveConfig(environment, (environments as Readonly<Record<string, TierConfig>>)[environment]!);
  return indexCatalogue(config.indexes, config.retiredIndexes);
}

async function acceptedCatalogue(connect: () => Promise<Client>): Promise<AcceptedCatalogue | undefined> {
  const session = await connect();
  try {
    return await readCatalogue(session);
  } finally {
    await session.end();
  }
}

function reconcilerFor(connect: () => Promise<Client>, catalogue: IndexCatalogue, generation: number): IndexReconciler {
  return new IndexReconciler({ connect, catalogue, generation, log: () => undefined });
}

function clientConfig({ url, ca }: Options): ClientConfig {
  const parsed = new URL(url);
  const sslMode = parsed.searchParams.get('sslmode') ?? (ca === undefined ? 'prefer' : 'verify-full');
  parsed.searchParams.delete('sslmode');
  const verified = ca === undefined ? { rejectUnauthorized: false } : { ca: readFileSync(ca, 'utf8') };
  return { connectionString: parsed.href, application_name: 'npm run indexes', connectionTimeoutMillis: 10_000, ...(sslMode !== 'disable' && sslMode !== 'prefer' && { ssl: verified }) };
}

async function connect(config: ClientConfig): Promise<Client> {
  const client = new Client(config);
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
