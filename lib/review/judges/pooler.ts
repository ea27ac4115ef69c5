import { poolerEnvironment } from '../../tier/pooler/pooler.contract';
import { leafChanges } from '../describe-value';
import type { Judgement } from '../impact';
import { arrow, describeProperties, describeProperty, type Judge } from './generic';

/** Judges a task definition: each line of the ini, and whatever else a task is made of. */
export const judgeTaskDefinition: Judge = ({ kind, properties, replacement }) => {
  const rolling = (what: string, atDeploy = rolled): Judgement => ({ section: 'pooler', impact: 'rolling replacement', what, atDeploy });
  if (kind !== 'changed') return [rolling(kind)];
  const leaves = properties.flatMap(({ name, before, after }) => leafChanges(before, after, name));
  if (leaves.length === 0) return [rolling(replacement === 'never' ? describeProperties(properties) : 'what it refers to is replaced')];
  return leaves.map(({ path, before, after }) => {
    const [, container, variable] = /^ContainerDefinitions\.([^.]+)\.Environment\.(.+)$/.exec(path) ?? [];
    if (variable === undefined) return rolling(path.endsWith('.Image') ? `image of ${path.split('.')[1]!}: its files have changed` : `${path} ${arrow(before, after)}`);
    const setting = variable.startsWith(poolerEnvironment.settingPrefix) ? variable.slice(poolerEnvironment.settingPrefix.length).toLowerCase() : undefined;
    const alias = variable.startsWith(poolerEnvironment.databasePrefix) ? variable.slice(poolerEnvironment.databasePrefix.length).toLowerCase() : undefined;
    const what = `${setting ?? alias ?? `${container!} ${variable}`} ${arrow(before, after)}`;
    if (setting && /tls|auth/.test(setting)) return { ...rolling(what), section: 'security' as const };
    if (alias && after === undefined) return { ...rolling(what), impact: 'downtime' as const, atDeploy: 'clients of this alias are refused' };
    return rolling(what);
  });
};

const rolled = 'new tasks are started, old ones let their clients finish; clients that stay longer reconnect';

/** Judges the service that runs the tasks. */
export const judgeService: Judge = ({ kind, replacement, properties }) => {
  if (kind === 'added') return [{ section: 'pooler', impact: 'no interruption', what: 'service added', atDeploy: 'tasks are started' }];
  if (kind === 'removed') return [{ section: 'pooler', impact: 'downtime', what: 'service removed', atDeploy: 'its tasks stop, and connections through them end' }];
  if (replacement === 'always') return [{ section: 'pooler', impact: 'downtime', what: `service replaced: ${describeProperties(properties)}`, atDeploy: 'another service is made; the tasks of this one stop as soon as it stands' }];
  return properties.map((property): Judgement => {
    const what = property.name === 'TaskDefinition' ? 'the service takes a new task definition' : describeProperty(property);
    if (property.name === 'NetworkConfiguration' && /AssignPublicIp \S+ → ENABLED/.test(what)) return { section: 'security', impact: 'rolling replacement', what, atDeploy: 'tasks get public addresses' };
    return inPlace.has(property.name) ? { section: 'pooler', impact: 'no interruption', what, atDeploy: 'changed in place' } : { section: 'pooler', impact: 'rolling replacement', what, atDeploy: rolled };
  });
};

const inPlace: ReadonlySet<string> = new Set(['Tags', 'PropagateTags', 'EnableECSManagedTags', 'EnableExecuteCommand', 'HealthCheckGracePeriodSeconds', 'DeploymentConfiguration', 'AvailabilityZoneRebalancing']);

/** Judges how many tasks there may be. */
export const judgeScaling: Judge = ({ kind, properties }) => {
  const what = kind === 'changed' ? describeProperties(properties) : `autoscaling ${kind}`;
  return [{ section: 'pooler', impact: 'no interruption', what, atDeploy: kind === 'removed' ? 'the number of tasks stays as it is, whatever the load' : 'tasks come or go one after another' }];
};
