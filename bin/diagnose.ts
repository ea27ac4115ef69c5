import { InvalidArgumentError, Option } from 'commander';

import { environments } from '../lib/config/environments';
import type { TierConfig } from '../lib/config/tier-config';
import { DeployedDiagnosis } from '../lib/diagnosis/deployed-tier';
import { diagnose } from '../lib/diagnosis/diagnose';
import { defaultLimits, type Diagnosis, type SectionName, sectionNames } from '../lib/diagnosis/diagnosis';
import { renderAsMarkdown, renderForTerminal } from '../lib/diagnosis/render-diagnosis';
import { poolerSections } from '../lib/diagnosis/sections/pooler';
import type { Source } from '../lib/diagnosis/source';
import { connectionHelp, connectionOf } from '../lib/postgres/url-connection';
import { Progress } from '../lib/rehearsal/report/progress';
import { commandLine } from './command-line';

/** 0: nothing to act on but notices, 1: something to act on, 2: it could not be looked at. */
const exitCodes = { fine: 0, found: 1, couldNotLook: 2 } as const;

interface Options {
  readonly url: readonly string[];
  readonly ca?: string;
  readonly only?: readonly SectionName[];
  readonly markdown?: boolean;
  readonly json?: boolean;
  readonly watch?: boolean;
}

type Ask = (only: readonly SectionName[] | undefined) => Promise<Diagnosis>;

/** What `--watch` refreshes. */
const watched: readonly SectionName[] = ['pools', 'pooler-clients', 'connections'];
const adminConsole = 'pgbouncer';

const program = commandLine('diagnose')
  .description('Tells what a database tier suffers from, and what to do first. Reads only, installs nothing, and shows no values of queries.')
  .argument('[environment]', `a deployed environment: ${Object.keys(environments).join(', ')}`)
  .addOption(
    new Option('-u, --url <url>', 'a database instead, as postgresql://user@host:5432/database?sslmode=require; again for each replica, and for the admin console of a pooler (database pgbouncer)')
      .argParser((url: string, before: readonly string[]) => [...before, url])
      .default([], 'none'),
  )
  .option('--ca <file>', "certificate authorities in PEM that a server's certificate must come from")
  .addOption(new Option('--only <sections>', `by commas, of ${sectionNames.join(', ')}`).argParser(sectionsIn))
  .addOption(new Option('-w, --watch', 'pools and connections, anew each second until Ctrl-C').conflicts(['markdown', 'json', 'only']))
  .addOption(new Option('--markdown', 'as Markdown').conflicts('json'))
  .option('--json', 'as JSON')
  .addHelpText(
    'after',
    `
An environment is asked through a function inside its network, found by SSM parameter /bookedbarber/<environment>/DIAGNOSIS_FUNCTION_NAME;
AWS_PROFILE and AWS_REGION say where. The role needs pg_monitor to see everything.
${connectionHelp}

An index counts as unused only if every instance was asked, and its statistics are ${defaultLimits.unusedIndexSeconds / 86_400} days old.

Exit codes: 0 nothing to act on but notices, 1 something to act on, 2 it could not be looked at.`,
  )
  .parse();

// Of the AWS SDK, for whoever runs a Node.js that it leaves next: that is no answer to what was asked.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

const [environment] = program.processedArgs as [string | undefined];
const options = program.opts<Options>();

run().catch((error: Error) => {
  process.stderr.write(`${environment ?? 'the database'} could not be looked at: ${error.message || error.name}\n`);
  process.exitCode = exitCodes.couldNotLook;
});

async function run(): Promise<void> {
  const ask = asker();
  if (options.watch) return watch(ask);
  const progress = new Progress();
  progress.begin(`Asking ${environment ?? 'the database'}`);
  const diagnosis = await ask(options.only).finally(() => progress.fail());
  process.stdout.write(options.json ? `${JSON.stringify(diagnosis, null, 2)}\n` : options.markdown ? renderAsMarkdown(diagnosis) : renderForTerminal(diagnosis, process.stdout.columns));
  process.exitCode = exitCodeOf(diagnosis);
}

/** @throws Error if it is not clear whom to ask */
function asker(): Ask {
  const { url: urls, ca } = options;
  if (environment !== undefined && urls.length > 0) throw new Error('give an environment or --url, not both');
  if (environment === undefined && urls.length === 0) throw new Error(`name an environment (${Object.keys(environments).join(', ')}) or give --url`);
  if (environment === undefined) return askUrls(urls, ca);
  const config = (environments as Readonly<Record<string, TierConfig>>)[environment];
  if (!config) throw new Error(`there is no such environment; lib/config/environments.ts has ${Object.keys(environments).join(', ')}`);
  const deployed = new DeployedDiagnosis({ environment, region: config.region });
  return (only) => deployed.ask(only);
}

function askUrls(urls: readonly string[], ca: string | undefined): Ask {
  const connections = urls.map((url) => connectionOf(url, { ca, environment: process.env, applicationName: 'npm run diagnose' }));
  const names = connections.map(({ name }) => name);
  // Two databases of one server are told apart by their names.
  const sources = connections.map(({ name, database, connect }) => ({ database, source: { name: names.indexOf(name) === names.lastIndexOf(name) ? name : `${name}/${database}`, connect } satisfies Source }));
  const [tasks, instances] = [sources.filter(({ database }) => database === adminConsole), sources.filter(({ database }) => database !== adminConsole)];
  assertTold(options.only ?? [], instances.length, tasks.length);
  return (only) => diagnose({ subject: sources.map(({ source }) => source.name).join(', '), instances: instances.map(({ source }) => source), tasks: tasks.map(({ source }) => source), only });
}

/** @throws Error if nobody who is asked can tell of a section */
function assertTold(only: readonly SectionName[], instances: number, tasks: number): void {
  const isOfPooler = (name: SectionName): boolean => poolerSections.some((section) => section.name === name);
  const ofPooler = only.filter((name) => isOfPooler(name) && tasks === 0);
  const ofDatabase = only.filter((name) => !isOfPooler(name) && instances === 0);
  if (ofPooler.length > 0) throw new Error(`${ofPooler.join(', ')}: only the admin console of a pooler tells; add its --url, with database ${adminConsole}`);
  if (ofDatabase.length > 0) throw new Error(`${ofDatabase.join(', ')}: only a database tells; add its --url, with another database than ${adminConsole}`);
}

async function watch(ask: Ask): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(exitCodes.fine));
  process.stdout.on('error', () => process.exit(exitCodes.fine)); // nobody reads any more
  for (;;) {
    const next = Date.now() + 1000;
    const text = renderForTerminal(await ask(watched), process.stdout.columns);
    // Home, and clear what is below: a cleared screen would flicker.
    process.stdout.write(process.stdout.isTTY ? `\x1b[H\x1b[J${text}\nCtrl-C ends\n` : `${text}\n`);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - Date.now())));
  }
}

function exitCodeOf({ sections, findings }: Diagnosis): number {
  if (sections.length === 0) return exitCodes.couldNotLook;
  return findings.some(({ severity }) => severity !== 'notice') ? exitCodes.found : exitCodes.fine;
}

function sectionsIn(text: string): readonly SectionName[] {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => !sectionNames.includes(name as SectionName));
  if (unknown.length > 0) throw new InvalidArgumentError(`There is no section ${unknown.join(', ')}; there are ${sectionNames.join(', ')}.`);
  return names as readonly SectionName[];
}
