import { poolerEnvironment } from '../tier/pooler/pooler.contract';
import { type EnvironmentComparison, resourcesOfType, type Side } from './comparison';
import { describeValue } from './describe-value';
import { instancesOfGroup, poolerAliases, poolerVariables } from './judges/tier-parts';

/** A figure of the pools or of the connection budget, before and after. */
export interface PoolRow {
  readonly figure: string;
  readonly before: string;
  readonly after: string;
}

/** How many connections there may be, on both sides; empty if none of the figures changes. */
export function poolTable(comparison: EnvironmentComparison): readonly PoolRow[] {
  const [before, after] = [figures(comparison, 'before'), figures(comparison, 'after')];
  const rows = [...new Set([...before.keys(), ...after.keys()])].map((figure) => ({ figure, before: before.get(figure) ?? '–', after: after.get(figure) ?? '–' }));
  return rows.some((row) => row.before !== row.after) ? rows : [];
}

function figures(comparison: EnvironmentComparison, side: Side): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const scaling = resourcesOfType(comparison, side, 'AWS::ApplicationAutoScaling::ScalableTarget')[0]?.[1].Properties;
  const maxTasks = Number(scaling?.['MaxCapacity']);
  if (scaling) found.set('tasks', `${describeValue(scaling['MinCapacity'])} to ${describeValue(scaling['MaxCapacity'])}`);
  for (const { alias, value } of poolerAliases(comparison, side)) {
    const perTask = Number(/max_db_connections=(\d+)/.exec(describeValue(value))?.[1]);
    if (Number.isNaN(perTask)) continue;
    found.set(`${alias}: server connections of a task`, `${perTask}`);
    if (!Number.isNaN(maxTasks)) found.set(`${alias}: server connections of all tasks`, `${perTask * maxTasks}`);
  }
  const clients = poolerVariables(comparison, side)[`${poolerEnvironment.settingPrefix}MAX_CLIENT_CONN`];
  if (clients !== undefined) found.set('clients of a task', describeValue(clients));
  for (const [groupId, group] of resourcesOfType(comparison, side, 'AWS::RDS::DBParameterGroup')) {
    const maxConnections = (group.Properties?.['Parameters'] as Readonly<Record<string, unknown>> | undefined)?.['max_connections'];
    if (maxConnections === undefined) continue;
    for (const [id] of instancesOfGroup(comparison, side, groupId)) found.set(`max_connections of ${id}`, describeValue(maxConnections));
  }
  for (const stack of comparison.stacks) {
    const budget = stack[side]?.template.Outputs?.['ConnectionBudget']?.Value;
    if (typeof budget === 'string') for (const line of budget.split('; ')) found.set(`at worst, ${line.split(': ')[0]!}`, line.split(': ')[1] ?? '');
  }
  return found;
}
