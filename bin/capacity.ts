import Table from 'cli-table3';
import { Command, Option } from 'commander';

import { connectionBudget, type InstanceBudget } from '../lib/config/connection-budget';
import { environments } from '../lib/config/environments';
import { resolveConfig } from '../lib/config/resolve-config';
import type { TierConfig } from '../lib/config/tier-config';
import { taskCapacity } from '../lib/tier/pooler/task-capacity';

/** 0: everything fits, 1: something does not, 2: it could not be computed. */
const exitCodes = { fits: 0, exceeded: 1, wrongCall: 2 } as const;

const { environment, json } = new Command('npm run capacity --')
  .description(
    'Shows who may connect to each instance at once, at worst: autoscaling at its maximum and a deployment under way.\n' +
      'Reads lib/config/environments.ts; asks neither AWS nor a database.',
  )
  .addOption(new Option('-e, --environment <name>', 'environment of lib/config/environments.ts').choices(Object.keys(environments)).default('production'))
  .option('--json', 'as JSON', false)
  .addHelpText('after', '\nExit codes: 0 everything fits, 1 something does not, 2 it could not be computed.')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? exitCodes.fits : exitCodes.wrongCall))
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
  const table = new Table({ head: [instance, 'connections', ''], colAligns: ['left', 'right', 'left'], style: { head: [], border: [] } });
  for (const { use, connections, why } of rows) table.push([use, connections, why]);
  table.push(['at worst', total, `of max_connections ${maxConnections}, ${maxConnections - total} free`]);
  return table.toString();
}
