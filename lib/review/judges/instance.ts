import type { Resource } from '../../assembly/template';
import { type JudgeContext, resourcesOfType } from '../comparison';
import { describeValue } from '../describe-value';
import type { Impact, Section } from '../impact';
import type { ResourceChange, ValueChange } from '../stack-comparison';
import { describeProperty, type Judge } from './generic';
import { isReplica } from './tier-parts';

/** Judges what changes on an instance in place; that it is replaced, added or removed, `judgeState` says. */
export const judgeInstance: Judge = (change, context) => {
  if (change.kind !== 'changed') return [];
  return change.properties
    .filter(({ replacement }) => replacement !== 'always')
    .map((property) => {
      const { section = 'state', impact, atDeploy } = (properties[property.name] ?? unknownProperty)(property, { change, context, multiAz: isMultiAz(change), replica: isReplica(change.after) });
      return { section, impact, atDeploy, what: describeProperty(property) };
    });
};

interface InstanceFacts {
  readonly change: ResourceChange;
  readonly context: JudgeContext;
  readonly multiAz: boolean;
  readonly replica: boolean;
}

interface Verdict {
  /** @default 'state' */
  readonly section?: Section;
  readonly impact: Impact;
  readonly atDeploy: string;
}

type PropertyJudge = (property: ValueChange, facts: InstanceFacts) => Verdict;

const quietly = (atDeploy: string, section: Section = 'rest'): PropertyJudge => () => ({ section, impact: 'no interruption', atDeploy });

const unknownProperty: PropertyJudge = ({ name, replacement }) =>
  replacement === 'maybe'
    ? { impact: 'data loss', atDeploy: `${name} may replace the instance by an empty one; see its "Update requires" in the CloudFormation reference` }
    : { impact: 'downtime', atDeploy: `what ${name} does to a running instance is not known to this review: take it for a restart` };

/** https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ModifyInstance.Settings.html */
const properties: Readonly<Record<string, PropertyJudge>> = {
  DBInstanceClass: (_, { multiAz, replica }) =>
    multiAz
      ? { impact: 'brief failover', atDeploy: 'at once: the standby is changed first and takes over, 60 to 120 s without connections' }
      : { impact: 'downtime', atDeploy: `at once: ${replica ? 'readers lose this replica' : 'the database is away'} for some minutes; there is no standby to take over` },
  EngineVersion: engineVersion,
  AllocatedStorage: ({ before, after }) =>
    Number(after) < Number(before)
      ? { impact: 'deploy fails', atDeploy: 'RDS cannot shrink storage; a smaller database is a new one, filled by a dump' }
      : { impact: 'no interruption', atDeploy: 'grown in place; slower for hours, and not to be changed again for six' },
  Iops: quietly('changed in place; slower for hours', 'state'),
  StorageThroughput: quietly('changed in place; slower for hours', 'state'),
  StorageType: ({ before, after }) =>
    [before, after].includes('standard')
      ? { impact: 'downtime', atDeploy: 'magnetic storage is migrated: the instance is away meanwhile' }
      : { impact: 'no interruption', atDeploy: 'migrated in place; slower for hours, and not to be changed again for six' },
  MultiAZ: ({ after }) =>
    isTrue(after)
      ? { impact: 'no interruption', atDeploy: 'a standby is made from a snapshot; writes are slower meanwhile, and a little for good' }
      : { impact: 'no interruption', atDeploy: 'the standby goes: from then on, an outage of its zone, a new class or a patch is downtime' },
  BackupRetentionPeriod: ({ before, after }) => {
    if (Number(after) === 0) return { impact: 'data loss', atDeploy: 'every automated backup is deleted; the instance restarts, and replicas cannot be made any more' };
    if (Number(before ?? 0) === 0) return { impact: 'downtime', atDeploy: 'the instance restarts to begin with backups' };
    return { impact: 'no interruption', atDeploy: Number(after) < Number(before) ? `backups older than ${Number(after)} days are deleted, and cannot be had back` : 'backups are kept longer from now on' };
  },
  DeleteAutomatedBackups: quietly('decides whether backups go with the instance', 'state'),
  DeletionProtection: ({ after }) => ({ impact: 'no interruption', atDeploy: isTrue(after) ? 'from now on RDS refuses to delete it' : 'from now on one call deletes it: nothing stands before a mistake any more' }),
  PubliclyAccessible: ({ after }) =>
    isTrue(after)
      ? { section: 'security', impact: 'no interruption', atDeploy: 'its name resolves to a public address: security groups are all that stands before the internet' }
      : { section: 'security', impact: 'downtime', atDeploy: 'its name resolves inside the VPC only: whoever comes from outside is cut off' },
  VPCSecurityGroups: quietly('other rules apply to new connections', 'security'),
  CACertificateIdentifier: quietly('another authority signs its certificate: clients with an old bundle refuse it', 'security'),
  EnableIAMDatabaseAuthentication: quietly('decides whether IAM may log in', 'security'),
  MasterUserPassword: quietly('the password of the master changes', 'security'),
  DBParameterGroupName: (_, { multiAz }) => ({ section: 'parameters', impact: multiAz ? 'brief failover' : 'downtime', atDeploy: 'another group: CloudFormation may restart the instance, and its values wait for a restart if not' }),
  AutoMinorVersionUpgrade: ({ after }) =>
    isTrue(after)
      ? { impact: 'downtime', atDeploy: 'RDS upgrades by itself in a maintenance window, the primary perhaps before its replicas' }
      : { impact: 'no interruption', atDeploy: 'minor versions come by a deploy only' },
  PreferredMaintenanceWindow: quietly('pending maintenance happens in the new window'),
  PreferredBackupWindow: quietly('backups are made in the new window'),
  MaxAllocatedStorage: quietly('storage autoscaling stops elsewhere'),
  CopyTagsToSnapshot: quietly('new snapshots'),
  Tags: quietly('labels'),
  AllowMajorVersionUpgrade: quietly('allows or forbids a major version', 'state'),
  EnablePerformanceInsights: quietly('Database Insights on or off'),
  PerformanceInsightsRetentionPeriod: quietly('history of Database Insights'),
  DatabaseInsightsMode: quietly('history and price of Database Insights'),
  MonitoringInterval: quietly("the operating system's metrics"),
  MonitoringRoleArn: quietly("the operating system's metrics"),
  EnableCloudwatchLogsExports: quietly('which logs are exported; metric filters need postgresql', 'alarms'),
};

/** Judges where instances may run. */
export const judgeSubnetGroup: Judge = ({ kind, properties: changed }) => {
  if (kind !== 'changed') return [{ section: 'rest', impact: 'no interruption', what: `subnet group ${kind}`, atDeploy: kind === 'added' ? 'made' : 'deleted; what used it has another one' }];
  return changed.map((property) =>
    property.name === 'SubnetIds'
      ? { section: 'state', impact: 'deploy fails', what: describeProperty(property), atDeploy: 'RDS takes no subnet of another VPC, and gives none up in which an instance runs; another network is another database, filled from a snapshot' }
      : { section: 'rest', impact: 'no interruption', what: describeProperty(property), atDeploy: property.replacement === 'always' ? 'another group is made; see the instances' : 'changed in place' },
  );
};

function engineVersion({ before, after }: ValueChange, { change, context, replica }: InstanceFacts): Verdict {
  const [from, to] = [String(before), String(after)];
  if (compareVersions(to, from) < 0) return { impact: 'deploy fails', atDeploy: 'RDS does not downgrade; an older version is a new instance, filled by a dump' };
  if (majorOf(from) !== majorOf(to)) {
    const allowed = isTrue(change.after?.Properties?.['AllowMajorVersionUpgrade']) ? '' : ' RDS refuses it without AllowMajorVersionUpgrade.';
    return { impact: 'downtime', atDeploy: `major upgrade: minutes to hours without the database, replicas included; rehearse it on a copy, and take a snapshot before: there is no way back.${allowed}` };
  }
  if (replica) return { impact: 'downtime', atDeploy: 'readers lose this replica for some minutes' };
  const behind = replicasOf(context, 'before').filter(([, resource]) => compareVersions(describeValue(resource.Properties?.['EngineVersion'] ?? from), to) < 0);
  if (behind.length > 0) {
    return { impact: 'deploy fails', atDeploy: `RDS upgrades a primary only after its replicas, and ${behind.map(([id]) => id).join(', ')} would still be older: raise the replicas in a deploy before` };
  }
  return { impact: 'downtime', atDeploy: 'some minutes without the database; a standby is upgraded at the same time and does not help' };
}

function replicasOf({ comparison }: JudgeContext, side: 'before' | 'after'): readonly (readonly [string, Resource])[] {
  return resourcesOfType(comparison, side, 'AWS::RDS::DBInstance').filter(([, resource]) => isReplica(resource));
}

function isMultiAz({ before, after }: ResourceChange): boolean {
  return [before, after].every((resource) => isTrue(resource?.Properties?.['MultiAZ']));
}

function isTrue(value: unknown): boolean {
  return value === true || value === 'true';
}

const majorOf = (version: string): string => version.split('.')[0]!;

function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
