import { referencedIds } from '../../assembly/template';
import { type Guard, resourcesOf, shown } from './guarded-stack';

/** Refuses a primary without backups, where data matters or replicas are made from it: RDS makes none without. */
export const guardBackups: Guard = (stack) => {
  const instances = resourcesOf(stack, 'AWS::RDS::DBInstance');
  const sources = new Set(instances.flatMap(([, { Properties }]) => referencedIds(Properties?.SourceDBInstanceIdentifier)));
  return instances
    .filter(([logicalId, { Properties }]) => sources.has(logicalId) || (!stack.disposable && Properties?.SourceDBInstanceIdentifier === undefined))
    .filter(([, { Properties }]) => !(Number(Properties?.BackupRetentionPeriod) >= 1))
    .map(([logicalId, { Properties }]) => ({
      logicalId,
      message: `BackupRetentionPeriod is ${shown(Properties?.BackupRetentionPeriod)}: ${sources.has(logicalId) ? 'RDS makes no replica of an instance without backups' : 'nothing could be restored'}; set backupRetentionDays to 1 to 35`,
    }));
};
