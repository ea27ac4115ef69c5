import { parameterProblem } from '../postgres/parameter-problem';
import { ownedParameters } from '../tier/database/postgres-parameters';
import { type ConfigProblem, Problems } from './config-problems';
import { findInstanceClass } from './instance-classes';
import type { ResolvedTierConfig } from './resolve-config';
import { windowProblems } from './validate-windows';

export function databaseProblems(database: ResolvedTierConfig['database']): ConfigProblem[] {
  const found = new Problems();
  found.engineVersion('database.engineVersion', database.engineVersion);
  found.instanceClass('database.instanceClass', database.instanceClass);
  found.identifier('database.instanceIdentifier', database.instanceIdentifier);
  if (!/^[a-z][a-z0-9_]{0,39}$/.test(database.databaseName)) {
    found.add('database.databaseName', `"${database.databaseName}" must be up to 40 lower-case letters, digits and underscores, and begin with a letter: roles are named after it`);
  }
  found.range('database.backupRetentionDays', database.backupRetentionDays, 1, 35, 'days; a read replica needs backups on its source');
  found.range('database.maxConnections', database.maxConnections, 25, 8388607, 'connections');
  addMemoryProblem(found, 'database.maxConnections', database);
  found.range('database.logMinDurationStatementMs', database.logMinDurationStatementMs, -1, 2147483647, 'milliseconds');
  found.oneOf('database.enhancedMonitoringSeconds', database.enhancedMonitoringSeconds, [0, 1, 5, 10, 15, 30, 60]);
  found.oneOf('database.logRetentionDays', database.logRetentionDays, logRetentionSteps);
  found.all.push(...windowProblems(database));
  if (database.protection !== 'retain' && database.protection.disposable.trim().length < 10) {
    found.add('database.protection', `the reason "${database.protection.disposable}" does not say why this data may be deleted; write a sentence, or use 'retain'`);
  }
  for (const [name, value] of Object.entries(database.parameters)) {
    if (ownedParameters.includes(name)) {
      found.add(`database.parameters.${name}`, 'is set by the tier; use the field of the configuration, or leave it out');
    } else {
      const problem = parameterProblem(name, value);
      if (problem) found.add(`database.parameters.${name}`, problem);
    }
  }
  const instanceClass = findInstanceClass(database.instanceClass);
  if (database.databaseInsights === 'advanced' && instanceClass?.burstable) {
    found.add('database.databaseInsights', `'advanced' is billed by vCPU and made for steady load; ${database.instanceClass} is burstable: use 'standard', or an m or r class`);
  }
  return found.all;
}

/** https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html#gp3-storage */
export function storageProblems(storage: ResolvedTierConfig['database']['storage']): ConfigProblem[] {
  const found = new Problems();
  const { sizeGiB, maxSizeGiB, iops, throughputMiBps } = storage;
  found.range('database.storage.sizeGiB', sizeGiB, 20, 65536, 'GiB');
  if (maxSizeGiB !== undefined && (maxSizeGiB * 10 < sizeGiB * 11 || maxSizeGiB > 65536)) {
    found.add('database.storage.maxSizeGiB', `${maxSizeGiB} GiB must be at least 10 % over sizeGiB (${Math.ceil((sizeGiB * 11) / 10)}) and at most 65536`);
  }
  if (sizeGiB < 400) {
    if (iops !== undefined) {
      found.add('database.storage.iops', `${iops} cannot be set on gp3 below 400 GiB (sizeGiB is ${sizeGiB}): it has 3000; leave it out, or raise sizeGiB to 400`);
    }
    if (throughputMiBps !== undefined) {
      found.add('database.storage.throughputMiBps', `${throughputMiBps} cannot be set on gp3 below 400 GiB (sizeGiB is ${sizeGiB}): it has 125; leave it out, or raise sizeGiB to 400`);
    }
    return found.all;
  }
  if (iops !== undefined) found.range('database.storage.iops', iops, 12000, 64000, 'IOPS on gp3 from 400 GiB');
  if (throughputMiBps !== undefined) {
    found.range('database.storage.throughputMiBps', throughputMiBps, 500, 4000, 'MiB/s on gp3 from 400 GiB');
    const provisionedIops = iops ?? 12000;
    if (throughputMiBps > provisionedIops / 4) {
      found.add('database.storage.throughputMiBps', `${throughputMiBps} MiB/s needs ${throughputMiBps * 4} IOPS (a quarter of a MiB/s for each), but iops is ${provisionedIops}; raise iops, or lower it to ${Math.floor(provisionedIops / 4)}`);
    }
    if (iops === undefined) {
      found.add('database.storage.iops', `is missing: RDS takes throughputMiBps (${throughputMiBps}) only together with iops; set iops to 12000 or more`);
    }
  }
  return found.all;
}

export function replicaProblems(config: ResolvedTierConfig): ConfigProblem[] {
  const found = new Problems();
  const replicas = Object.entries(config.replicas);
  if (replicas.length === 0) found.add('replicas', 'there is none; the tier promises a read-only endpoint: add at least one');
  if (replicas.length > 15) found.add('replicas', `${replicas.length} exceed the 15 that RDS for PostgreSQL allows on one source`);
  if (replicas.length > 0 && replicas.every(([, replica]) => replica.retiring)) {
    found.add('replicas', 'all are retiring: the read-only endpoint would have no database; add one before the last is retired');
  }
  const identifiers = new Map<string, string>();
  if (config.database.instanceIdentifier) identifiers.set(config.database.instanceIdentifier, 'database');
  for (const [name, replica] of replicas) {
    const field = `replicas.${name}`;
    if (!/^[A-Za-z][A-Za-z0-9-]{0,39}$/.test(name)) {
      found.add(field, `"${name}" must be up to 40 letters, digits and hyphens, and begin with a letter`);
    }
    // What a replica takes over from the primary is reported there.
    if (replica.engineVersion !== config.database.engineVersion) found.engineVersion(`${field}.engineVersion`, replica.engineVersion);
    if (replica.instanceClass !== config.database.instanceClass) found.instanceClass(`${field}.instanceClass`, replica.instanceClass);
    found.identifier(`${field}.instanceIdentifier`, replica.instanceIdentifier);
    const taken = replica.instanceIdentifier && identifiers.get(replica.instanceIdentifier);
    if (taken) found.add(`${field}.instanceIdentifier`, `"${replica.instanceIdentifier}" is already the name of ${taken}; choose another`);
    if (replica.instanceIdentifier) identifiers.set(replica.instanceIdentifier, field);
    if (replica.maxConnections < config.database.maxConnections) {
      found.add(`${field}.maxConnections`, `${replica.maxConnections} is below the primary's ${config.database.maxConnections}: a standby refuses to start so; raise it to ${config.database.maxConnections}`);
    }
    if (replica.maxConnections !== config.database.maxConnections || replica.instanceClass !== config.database.instanceClass) addMemoryProblem(found, `${field}.maxConnections`, replica);
    if (compareVersions(replica.engineVersion, config.database.engineVersion) < 0) {
      found.add(`${field}.engineVersion`, `${replica.engineVersion} is below the primary's ${config.database.engineVersion}: RDS upgrades replicas first; raise it to ${config.database.engineVersion} in a deploy of its own`);
    }
  }
  return found.all;
}

/**
 * What RDS itself would set takes 9531392 bytes for each connection: with more of them, an instance whose sessions all
 * come runs out of memory instead of refusing some.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html#RDS_Limits.MaxConnections
 */
function addMemoryProblem(found: Problems, field: string, { instanceClass, maxConnections }: { readonly instanceClass: string; readonly maxConnections: number }): void {
  const memoryMiB = findInstanceClass(instanceClass)?.memoryMiB;
  if (memoryMiB === undefined) return;
  const most = Math.floor((memoryMiB * 1024 * 1024) / 9_531_392);
  if (maxConnections > most) {
    found.add(field, `${maxConnections} sessions do not fit into the ${memoryMiB} MiB of ${instanceClass}, for which RDS would allow ${most}; lower it, with the pool, or choose a larger instanceClass`);
  }
}

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
const logRetentionSteps = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

function compareVersions(a: string, b: string): number {
  const [minorA, minorB] = [a, b].map((version) => Number(version.split('.')[1]));
  return minorA! - minorB!;
}
