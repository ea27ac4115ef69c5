import { writeFileSync } from 'node:fs';

import { InvalidArgumentError, Option } from 'commander';

import { applicationMetrics } from '../lib/rehearsal/application/application-metrics';
import { compareReports } from '../lib/rehearsal/compare/compare-reports';
import { readReports } from '../lib/rehearsal/compare/read-reports';
import { madeWorse, renderComparisonMarkdown, renderComparisonText } from '../lib/rehearsal/compare/render-comparison';
import { drills, findDrills } from '../lib/rehearsal/drills/drill-catalogue';
import { runDrills } from '../lib/rehearsal/drills/run-drills';
import { metrics } from '../lib/rehearsal/load/metrics';
import { Progress } from '../lib/rehearsal/report/progress';
import { rehearse } from '../lib/rehearsal/rehearsal';
import { rehearseRepeatedly } from '../lib/rehearsal/rehearse-repeatedly';
import { commandLine } from './command-line';
import { assertWritableDirectory, assertWritableFile } from './writable';

/** 0: nothing missed, 1: something missed, 2: it could not run, 130: interrupted. */
const exitCodes = { met: 0, missed: 1, couldNotRun: 2, interrupted: 130 } as const;

function wholeNumber(least: number, most: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new InvalidArgumentError(`"${text}" is not a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}

const environmentOption = new Option('-e, --environment <name>', 'environment of lib/config/environments.ts').default('production');
const assemblyOption = new Option('-a, --assembly <dir>', 'rehearse this cloud assembly instead of synthesizing one');
const reportOption = new Option('-r, --report <dir>', 'where report.json and report.html are written').default('rehearsal-out');

interface RehearseOptions {
  readonly environment: string;
  readonly assembly?: string;
  readonly rows: number;
  readonly loadTransactions: number;
  readonly loadSeconds: number;
  readonly sessions: number;
  readonly application: boolean;
  readonly report: string;
  readonly repeats: number;
  readonly quick: boolean;
  readonly keep: boolean;
}

/** Of `--quick`, where the command line says nothing else. */
const quickLoads = { loadTransactions: 100, loadSeconds: 2, sessions: 0 } as const;

const program = commandLine('rehearse')
  .description(
    'Brings the synthesized tier of an environment up on this machine from real PostgreSQL and real PgBouncer, ' +
      "loads it, and prints the guide's targets with what was measured.",
  )
  // What stands after a subcommand is the subcommand's.
  .enablePositionalOptions()
  .helpCommand(true)
  .addOption(environmentOption)
  .addOption(assemblyOption)
  .addOption(new Option('--rows <count>', 'appointments in the sample data').default(1_000_000, '1,000,000').argParser(wholeNumber(2000, 50_000_000)))
  .option('--load-transactions <count>', "transactions of each of the 100 clients of the guide's load test", wholeNumber(1, 1_000_000), 1000)
  .option('--load-seconds <count>', 'how long each of the other loads runs', wholeNumber(1, 3600), 6)
  .option('--sessions <count>', 'sessions with think time', wholeNumber(100, 50_000), 10_000)
  .option('--application', 'also run applications on the application kit, with each of its drivers, through a replacement of the pooler and a restart of the primary', false)
  .addOption(reportOption)
  .option('--repeats <count>', 'rehearse so often, into run-1, run-2, … of the report directory, so that compare knows the noise', wholeNumber(1, 100), 1)
  .option('--quick', `shorter loads (--load-transactions ${quickLoads.loadTransactions}, --load-seconds ${quickLoads.loadSeconds}), no sessions with think time, and the sample as it was kept the last time`, false)
  .option('-k, --keep', 'leave the tier running until Ctrl-C and write connections.json', false)
  .addHelpText('after', () => {
    const lines = (of: typeof metrics): string => of.map(({ title, definition }) => `  ${title}: ${definition}`).join('\n');
    return `\nWhat is measured:\n${lines(metrics)}\n\nWith --application, of each application:\n${lines(applicationMetrics)}\n\nExit codes: 0 nothing missed, 1 something missed, 2 it could not run, 130 interrupted.`;
  })
  .action(({ repeats, ...given }: RehearseOptions) => {
    const options = given.quick ? quickened(given) : given;
    return conclude(options.report, (running) => (repeats === 1 ? rehearse({ ...options, ...running }) : rehearseRepeatedly(repeats, { ...options, ...running })));
  });

interface DrillOptions {
  readonly environment: string;
  readonly assembly?: string;
  readonly report: string;
}

program
  .command('drill')
  .description('Makes faults on purpose, with clients that write all the time, and asks the database afterwards for every write that was acknowledged.')
  .argument('<names...>', '"all", or names of the drills below')
  .addOption(environmentOption)
  .addOption(assemblyOption)
  .addOption(reportOption)
  .addHelpText('after', () => {
    const width = Math.max(...drills.map(({ name }) => name.length));
    const lines = drills.map(({ name, title }) => `  ${name.padEnd(width)}  ${title}`);
    return `\nDrills:\n${lines.join('\n')}\n\nExit codes: 0 all as expected, 1 one was not, 2 it could not run, 130 interrupted.`;
  })
  .action((names: readonly string[], options: DrillOptions) => conclude(options.report, (running) => runDrills({ drills: findDrills(names), ...options, ...running })));

program
  .command('compare')
  .description(
    'Says what a change did to the figures of rehearsals, and what of it is noise. Each side is a report.json, its directory, or ' +
      'a directory of several, as --repeats leaves it.',
  )
  .argument('<before>', 'without the change')
  .argument('<after>', 'with it')
  .option('-m, --markdown <file>', 'write it as Markdown too, for a pull request')
  .addHelpText('after', '\nExit codes: 0 nothing worse, 1 something is worse, 2 it could not be compared.')
  .action((before: string, after: string, { markdown }: { readonly markdown?: string }) => {
    try {
      if (markdown !== undefined) assertWritableFile(markdown, '--markdown');
      const comparison = compareReports(readReports(before), readReports(after));
      if (markdown !== undefined) writeFileSync(markdown, renderComparisonMarkdown(comparison));
      process.stdout.write(`${renderComparisonText(comparison)}\n`);
      process.exitCode = madeWorse(comparison) ? exitCodes.missed : exitCodes.met;
    } catch (error) {
      process.stderr.write(`the reports could not be compared: ${(error as Error).message}\n`);
      process.exitCode = exitCodes.couldNotRun;
    }
  });

program.parse();

/** What the command line does not say, as short as `--quick` wants it. */
function quickened<Given extends Omit<RehearseOptions, 'repeats'>>(given: Given): Given {
  const unsaid = Object.entries(quickLoads).filter(([name]) => program.getOptionValueSource(name) === 'default');
  return { ...given, ...Object.fromEntries(unsaid) };
}

/** Runs a command to its exit code, and lets a signal stop it in order. @param work returns whether something was missed */
async function conclude(report: string, work: (running: { readonly progress: Progress; readonly signal: AbortSignal }) => Promise<boolean>): Promise<void> {
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (interrupt.signal.aborted) return;
      process.stderr.write(`\n${signal}: stopping everything\n`);
      interrupt.abort();
    });
  }
  const progress = new Progress();
  try {
    assertWritableDirectory(report, '--report');
    process.exitCode = (await work({ progress, signal: interrupt.signal })) ? exitCodes.missed : exitCodes.met;
  } catch (error) {
    progress.fail();
    if (!interrupt.signal.aborted) process.stderr.write(`the rehearsal could not run: ${(error as Error).message}\n`);
    process.exitCode = interrupt.signal.aborted ? exitCodes.interrupted : exitCodes.couldNotRun;
  }
}
