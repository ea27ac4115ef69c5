import { logEvent, requiredVariable } from '../function-runtime';
import { collect } from './collector';
import { publishMetrics } from './embedded-metrics';
import { observerEnvironment } from './monitoring.contract';
import { pairs, tierSources } from './tier-sources';

/** Each minute: asks every instance and every task of the pooler, and writes what they said as metrics. */
export async function handler(): Promise<void> {
  const sources = await tierSources(process.env, 'collector', (problem) => logEvent({ event: 'not reached', source: 'ECS', problem }));
  const sets = await collect({
    environmentName: requiredVariable(process.env, observerEnvironment.environmentName),
    budgetedConnections: Object.fromEntries(pairs(requiredVariable(process.env, observerEnvironment.budgetedConnections)).map(([name, connections]) => [name, Number(connections)])),
    ...sources,
    log: logEvent,
  });
  for (const set of sets) publishMetrics(set);
}
