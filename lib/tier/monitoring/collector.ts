import type { Client } from 'pg';

import { ask, type Source } from '../../diagnosis/source';
import { type InstanceReadings, readInstance } from './instance-readings';
import { instanceMetrics, poolerMetrics, poolMetrics, type Unit } from './metric-catalogue';
import type { MetricSet } from './embedded-metrics';
import { poolTotals, readTask, type TaskReading } from './pooler-readings';

export interface CollectorOptions {
  readonly environmentName: string;
  readonly instances: readonly Source[];
  /** Connections that the budget foresees, by the name of the instance. */
  readonly budgetedConnections: Readonly<Record<string, number>>;
  /** Admin consoles of the running tasks. */
  readonly tasks: readonly Source[];
  /** One structured line for each part that could not be asked. */
  readonly log: (event: Readonly<Record<string, unknown>>) => void;
  /** How long one of them may take, milliseconds. @default 8000 */
  readonly patienceMs?: number;
}

/** Asks everybody at once: one that does not answer hides none of the others, and is itself a metric. */
export async function collect(options: CollectorOptions): Promise<readonly MetricSet[]> {
  const { environmentName, instances, budgetedConnections, tasks, log } = options;
  const [instanceReadings, taskReadings] = await Promise.all([
    Promise.all(instances.map((source) => readingOf(source, options, (session) => readInstance(session, budgetedConnections[source.name]!, (problem) => log({ event: 'not read', source: source.name, problem }))))),
    Promise.all(tasks.map((source) => readingOf(source, options, readTask))),
  ]);
  const reached = taskReadings.filter((reading) => reading !== undefined);
  return [
    { dimensions: { Environment: environmentName }, values: poolerValues(reached, tasks.length), details: { tasks: taskDetails(tasks, taskReadings) } },
    ...[...poolTotals(reached)].map(([pool, totals]) => ({ dimensions: { Environment: environmentName, Pool: pool }, values: withUnits(totals, poolMetrics) })),
    ...instances.map(({ name }, position) => ({
      dimensions: { Environment: environmentName, Instance: name },
      values: withUnits(instanceReadings[position] ?? ({ InstanceReached: 0 } satisfies InstanceReadings), instanceMetrics),
    })),
  ];
}

async function readingOf<Reading>(source: Source, { log, patienceMs = 8000 }: CollectorOptions, read: (session: Client) => Promise<Reading>): Promise<Reading | undefined> {
  const answer = await ask(source, patienceMs, read);
  if ('reading' in answer) return answer.reading;
  log({ event: 'not reached', source: source.name, problem: answer.problem });
  return undefined;
}

function poolerValues(reached: readonly TaskReading[], running: number): MetricSet['values'] {
  const clients = reached.reduce((sum, reading) => sum + reading.clients, 0);
  return withUnits({ PoolerTasksReached: reached.length, PoolerTasksUnreachable: running - reached.length, ClientConnections: clients }, poolerMetrics);
}

function taskDetails(tasks: readonly Source[], readings: readonly (TaskReading | undefined)[]): Readonly<Record<string, number | 'unreachable'>> {
  return Object.fromEntries(tasks.map(({ name }, position) => [name, readings[position]?.clients ?? 'unreachable']));
}

function withUnits(values: Readonly<Record<string, number>>, definitions: Readonly<Record<string, { readonly unit: Unit }>>): MetricSet['values'] {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value, unit: definitions[name]!.unit }]));
}
