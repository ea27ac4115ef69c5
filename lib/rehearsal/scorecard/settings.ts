import { isRdsOnly } from '../engines/rds-imitation';
import type { Check } from '../report/report';
import { type Bench, checkOf } from './bench';
import { PoolerConsoles } from './pooler-statistics';
import { type RunningSetting, settingDifferences } from './setting-differences';

/** Reads back from every instance and every task of the pooler what the template gave it. */
export async function checkSettings({ tier, connections }: Bench): Promise<Check> {
  const differences: string[] = [];
  let compared = 0;
  const compare = (who: string, wanted: Readonly<Record<string, string>>, running: readonly RunningSetting[]): void => {
    compared += Object.keys(wanted).length;
    differences.push(...settingDifferences(who, wanted, running));
  };
  for (const { identifier, parameters, server } of tier.databases.instances) {
    const known = Object.fromEntries(Object.entries(parameters).filter(([name]) => !isRdsOnly(name)));
    compare(identifier, known, await server.query<RunningSetting>('SELECT name, setting AS value FROM pg_settings'));
  }
  const consoles = await PoolerConsoles.open(connections, tier.pooler.tasks.length);
  try {
    const configurations = await consoles.configurations();
    for (const [index, task] of tier.pooler.tasks.entries()) {
      const nofile = { name: 'nofile', value: `${await task.openFilesOfPgbouncer()}` };
      compare(`PgBouncer ${task.name}`, { ...task.settings, ...task.limits }, [...configurations[index]!, nofile]);
    }
  } finally {
    await consoles.end();
  }
  return checkOf('settings', differences.length, {}, [`${compared} read back from ${tier.databases.instances.length} instances and ${tier.pooler.tasks.length} tasks`, ...differences].join('; '));
}
