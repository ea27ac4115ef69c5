import Table from 'cli-table3';
import { Option } from 'commander';

import { connectionBudget, type InstanceBudget } from '../lib/config/connection-budget';
import { environments } from '../lib/config/environments';
import { resolveConfig } from '../lib/config/resolve-config';
import type { TierConfig } from '../lib/config/tier-config';
import { taskCapacity } from '../lib/tier/pooler/task-capacity';
import { commandLine } from './command-line';

/** 0: everything fits, 1: something does not. */
const exitCodes = { fits: 0, exceeded: 1 } as const;

/** Of a table where there is no terminal, and of its last column at least. */
const [usualWidth, leastWidth] = [100, 30];
const [padding, borders] = [2, 4];

const { environment, json } = commandLine('capacity')
  .description(
    'Shows who may connect to each instance at once, at worst: autoscaling at its maximum, a deployment under way, and the tasks of the one before still draining.\n' +
      'Reads lib/config/environments.ts; asks neither AWS nor a database.',
  )
  .addOption(new Option('-e, --environment <name>', 'environment of lib/config/environments.ts').choices(Object.keys(environments)).default('production'))
  .option('--json', 'as JSON', false)
  .addHelpText('after', '\nExit codes: 0 everything fits, 1 something does not, 2 it could not be computed.')
  .parse()
  .opts<{ environment: string; json: boolean }>();

const config = resolveConfig(environment, (environments as Readonly<Record<string, TierConfig>>)[environment]!);
const { instances, problems } = connectionBudget(config);
const task = taskCapacity(config.pooler);

if (json) process.stdout.write(`${JSON.stringify({ environment, task, instances, problems }, null, 2)}\n`);
else {
  const { minTasks, maxTasks } = config.pooler;
  process.stdout.write(`${instances.map(render).join('\n\n')}\n\n`);
  process.stdout.write(
    `each of ${minTasks} to ${maxTasks} tasks: ${task.serverConnections} server connections to the primary, ${task.readOnlyServerConnections} to the replicas, up to ${task.clientConnections} clients\n`,
  );
}
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exitCode = problems.length > 0 ? exitCodes.exceeded : exitCodes.fits;

function render({ instance, maxConnections, rows, total }: InstanceBudget): string {
  const uses = Math.max(...[instance, ...rows.map(({ use }) => use)].map(({ length }) => length)) + padding;
  const widths = [uses, 'connections'.length + padding];
  const whys = Math.max(leastWidth, (process.stdout.columns ?? usualWidth) - widths[0]! - widths[1]! - borders);
  const table = new Table({ head: [instance, 'connections', ''], colWidths: [...widths, whys], colAligns: ['left', 'right', 'left'], wordWrap: true, style: { head: [], border: [] } });
  for (const { use, connections, why } of rows) table.push([use, connections, why]);
  table.push(['at worst', total, `of max_connections ${maxConnections}, ${maxConnections - total} free`]);
  return table.toString();
}
