import type { TierConfig } from '../../lib/config/tier-config';
import type { Finding } from '../../lib/review/impact';
import type { Edit, PreparedChange } from './prepared-assemblies';

/** A change, and what a review must say of it. */
export interface PreparedReview {
  readonly title: string;
  readonly change: PreparedChange;
  /** What is deployed already, where it is not production as it stands. */
  readonly before?: PreparedChange;
  /** Findings that must be there, in part. */
  readonly finds: readonly Partial<Record<keyof Finding, string>>[];
  readonly worst: Finding['impact'] | undefined;
}

const config = (change: (config: TierConfig) => TierConfig): PreparedChange => ({ config: change });
const database = (change: Partial<TierConfig['database']>): PreparedChange => config((tier) => ({ ...tier, database: { ...tier.database, ...change } }));
const replica = (change: Partial<TierConfig['replicas'][string]>, others: Partial<TierConfig['database']> = {}): PreparedChange =>
  config((tier) => ({ ...tier, database: { ...tier.database, ...others }, replicas: { 'replica-1': { ...tier.replicas['replica-1'], ...change } } }));
const code = (file: string, replace: string, by: string): PreparedChange => ({ code: [{ file, replace, by }] });

const renamedPrimary: readonly Edit[] = [{ file: 'lib/tier/database/database.ts', replace: "new DatabaseInstance(this, 'Primary'", by: "new DatabaseInstance(this, 'Main'" }];

const twoReplicas = (second: TierConfig['replicas'][string] = {}) => config((tier) => ({ ...tier, replicas: { ...tier.replicas, 'replica-2': second } }));
const oneReplica = config((tier) => tier);

export const preparedReviews: readonly PreparedReview[] = [
  {
    title: 'a rename of the construct of the primary is a lost database',
    change: { code: renamedPrimary },
    finds: [
      { section: 'state', impact: 'data loss', name: 'Database/Primary', what: 'renamed to Database/Main' },
      { section: 'state', impact: 'no interruption', name: 'Database/Main', what: 'new and empty' },
    ],
    worst: 'data loss',
  },
  {
    title: 'another instance class is a failover where a standby is, and downtime of the replica',
    change: database({ instanceClass: 'r7g.2xlarge' }),
    finds: [
      { impact: 'brief failover', name: 'Database/Primary', what: 'db.r7g.xlarge → db.r7g.2xlarge' },
      { impact: 'downtime', name: 'Database/Replica-replica-1', what: 'db.r7g.xlarge → db.r7g.2xlarge' },
    ],
    worst: 'downtime',
  },
  {
    title: 'another instance class without a standby is downtime',
    before: database({ multiAz: false }),
    change: database({ multiAz: false, instanceClass: 'r7g.2xlarge' }),
    finds: [{ impact: 'downtime', name: 'Database/Primary', what: 'db.r7g.xlarge → db.r7g.2xlarge' }],
    worst: 'downtime',
  },
  {
    title: 'no standby any more interrupts nobody, and is said',
    change: database({ multiAz: false }),
    finds: [{ section: 'state', impact: 'no interruption', name: 'Database/Primary', what: 'MultiAZ true → false', atDeploy: 'the standby goes' }],
    worst: 'no interruption',
  },
  {
    title: 'another type of storage is migrated in place',
    before: database({ storage: { sizeGiB: 400, iops: 12000 } }),
    change: { code: [{ file: 'lib/tier/database/database.ts', replace: 'storageType: StorageType.GP3', by: 'storageType: StorageType.IO2' }, { file: 'lib/tier/database/database.ts', replace: 'storageThroughput: config.storage.throughputMiBps', by: 'storageThroughput: undefined' }] },
    finds: [{ section: 'state', impact: 'no interruption', name: 'Database/Primary', what: 'StorageType gp3 → io2' }],
    worst: 'no interruption',
  },
  {
    title: 'less storage is refused by RDS',
    before: database({ storage: { sizeGiB: 500, maxSizeGiB: 2000, iops: 12000, throughputMiBps: 500 } }),
    change: oneReplica,
    finds: [{ impact: 'deploy fails', name: 'Database/Primary', what: 'AllocatedStorage 500 → 400' }],
    worst: 'deploy fails',
  },
  {
    title: 'a minor version of all at once is refused: replicas come first',
    change: database({ engineVersion: '17.10' }),
    finds: [{ impact: 'deploy fails', name: 'Database/Primary', what: 'EngineVersion 17.9 → 17.10', atDeploy: 'raise the replicas in a deploy before' }],
    worst: 'downtime',
  },
  {
    title: 'a minor version of the replica first is downtime of the replica',
    change: replica({ engineVersion: '17.10' }),
    finds: [{ impact: 'downtime', name: 'Database/Replica-replica-1', what: 'EngineVersion 17.9 → 17.10', atDeploy: 'readers lose this replica' }],
    worst: 'downtime',
  },
  {
    title: 'a minor version of the primary after that is downtime',
    before: replica({ engineVersion: '17.10' }),
    change: replica({ engineVersion: '17.10' }, { engineVersion: '17.10' }),
    finds: [{ impact: 'downtime', name: 'Database/Primary', what: 'EngineVersion 17.9 → 17.10', atDeploy: 'some minutes without the database' }],
    worst: 'downtime',
  },
  {
    title: 'a major version is downtime without a way back',
    before: code('lib/tier/database/database.ts', "PostgresEngineVersion.of(version, version.split('.')[0]!)", "PostgresEngineVersion.of('16.9', '16')"),
    change: oneReplica,
    finds: [{ impact: 'downtime', name: 'Database/Primary', what: 'EngineVersion 16.9 → 17.9', atDeploy: 'major upgrade' }],
    worst: 'downtime',
  },
  {
    title: 'a static parameter waits for a restart',
    change: database({ parameters: { max_wal_senders: '20', shared_buffers: '1000000' } }),
    finds: [{ section: 'parameters', impact: 'no interruption', name: 'Database/PrimaryParameters', what: 'shared_buffers (8kB) (default) → 1000000', atDeploy: 'waits for a restart' }],
    worst: 'downtime', // max_wal_senders of a primary over its replicas'
  },
  {
    title: 'a dynamic parameter takes effect at once',
    change: database({ parameters: { work_mem: '16384' } }),
    finds: [{ section: 'parameters', impact: 'no interruption', name: 'Database/PrimaryParameters', what: 'work_mem (kB) (default) → 16384', atDeploy: 'takes effect at once' }],
    worst: 'no interruption',
  },
  {
    title: 'max_connections raised everywhere at once keeps replicas from starting',
    change: database({ maxConnections: 600 }),
    finds: [{ section: 'parameters', impact: 'downtime', name: 'Database/PrimaryParameters', what: 'max_connections 500 → 600', atDeploy: 'Raise it on the replicas in a deploy before' }],
    worst: 'downtime',
  },
  {
    title: 'max_connections raised on the replica first waits for a restart',
    change: replica({ maxConnections: 600 }),
    finds: [{ section: 'parameters', impact: 'no interruption', name: 'Database/Replica-replica-1-Parameters', what: 'max_connections 500 → 600', atDeploy: 'waits for a restart' }],
    worst: 'no interruption',
  },
  {
    title: 'max_connections raised on the primary after that waits for a restart',
    before: replica({ maxConnections: 600 }),
    change: replica({ maxConnections: 600 }, { maxConnections: 600 }),
    finds: [{ section: 'parameters', impact: 'no interruption', name: 'Database/PrimaryParameters', what: 'max_connections 500 → 600', atDeploy: 'waits for a restart' }],
    worst: 'no interruption',
  },
  {
    title: 'max_connections lowered on the replica before the primary keeps it from starting',
    before: database({ maxConnections: 600 }),
    change: oneReplica,
    finds: [{ section: 'parameters', impact: 'downtime', name: 'Database/Replica-replica-1-Parameters', what: 'max_connections 600 → 500', atDeploy: 'Lower it on the primary in a deploy before' }],
    worst: 'downtime',
  },
  {
    title: 'a second replica is made beside the tier, and tasks are replaced to use it',
    change: twoReplicas(),
    finds: [
      { section: 'state', impact: 'no interruption', name: 'Database/Replica-replica-2', what: 'read replica added' },
      { section: 'pooler', impact: 'rolling replacement', name: 'Pooler/Task', what: 'bookedbarber_ro host=' },
    ],
    worst: 'rolling replacement',
  },
  {
    title: 'a replica removed in one step is downtime of its readers',
    before: twoReplicas(),
    change: oneReplica,
    finds: [{ section: 'state', impact: 'downtime', name: 'Database/Replica-replica-2', what: 'read replica removed', atDeploy: 'deploy it as retiring first' }],
    worst: 'downtime',
  },
  {
    title: 'a retiring replica loses its readers first',
    before: twoReplicas(),
    change: twoReplicas({ retiring: true }),
    finds: [{ section: 'pooler', impact: 'rolling replacement', name: 'Pooler/Task', what: 'bookedbarber_ro host=' }],
    worst: 'rolling replacement',
  },
  {
    title: 'a replica that was retiring goes unnoticed',
    before: twoReplicas({ retiring: true }),
    change: oneReplica,
    finds: [{ section: 'state', impact: 'no interruption', name: 'Database/Replica-replica-2', what: 'read replica removed' }],
    worst: 'no interruption',
  },
  {
    title: 'an index added is built',
    change: config((tier) => ({ ...tier, indexes: [...tier.indexes, { name: 'idx_users_phone', table: 'users', definition: '(phone)' }] })),
    finds: [{ section: 'indexes', impact: 'no interruption', what: '+ CREATE INDEX idx_users_phone ON public.users (phone)', atDeploy: 'build: concurrently' }],
    worst: 'no interruption',
  },
  {
    title: 'an index changed is swapped',
    change: config((tier) => ({ ...tier, indexes: tier.indexes.map((index) => (index.name === 'idx_users_email' ? { ...index, definition: '(lower(email))' } : index)) })),
    finds: [{ section: 'indexes', impact: 'no interruption', what: 'ON public.users (email) → CREATE INDEX idx_users_email ON public.users (lower(email))', atDeploy: 'swap: built beside' }],
    worst: 'no interruption',
  },
  {
    title: 'an index removed from the list is kept',
    change: config((tier) => ({ ...tier, indexes: tier.indexes.filter(({ name }) => name !== 'idx_users_email') })),
    finds: [{ section: 'indexes', impact: 'no interruption', what: '− CREATE INDEX idx_users_email', atDeploy: 'keep: it stays' }],
    worst: 'no interruption',
  },
  {
    title: 'an index renamed is adopted',
    change: config((tier) => ({ ...tier, indexes: tier.indexes.map((index) => (index.name === 'idx_users_email' ? { ...index, name: 'users_by_email' } : index)) })),
    finds: [{ section: 'indexes', impact: 'no interruption', what: '+ CREATE INDEX users_by_email', atDeploy: 'keep: the same index under another name' }],
    worst: 'no interruption',
  },
  {
    title: 'an index retired is dropped',
    change: config((tier) => ({ ...tier, indexes: tier.indexes.filter(({ name }) => name !== 'idx_users_email'), retiredIndexes: [{ name: 'idx_users_email' }] })),
    finds: [{ section: 'indexes', impact: 'no interruption', what: 'DROP INDEX public.idx_users_email', atDeploy: 'drop: concurrently' }],
    worst: 'no interruption',
  },
  {
    title: 'a smaller pool replaces the tasks',
    change: config((tier) => ({ ...tier, pooler: { ...tier.pooler, poolSize: 80 } })),
    finds: [{ section: 'pooler', impact: 'rolling replacement', name: 'Pooler/Task', what: 'max_db_connections=20' }],
    worst: 'rolling replacement',
  },
  {
    title: 'a security group opened to everybody is said so',
    change: code('lib/tier/network/access-control.ts', 'return peer.startsWith', "if (peer === '10.20.0.0/16') return Peer.anyIpv4();\n  return peer.startsWith"),
    finds: [{ section: 'security', impact: 'no interruption', what: 'opens tcp 6432 from 0.0.0.0/0', atDeploy: 'everybody on the internet' }],
    worst: 'downtime', // the rule that it takes the place of is closed
  },
  {
    title: 'a security group closed is downtime of whoever used it',
    change: config((tier) => ({ ...tier, network: { ...tier.network, migrationClients: {} } })),
    finds: [{ section: 'security', impact: 'downtime', what: 'closes tcp 5432 from 10.20.0.0/16' }],
    worst: 'downtime',
  },
  {
    title: 'rotation of the key off is said',
    change: code('lib/tier/data-stack.ts', 'enableKeyRotation: true', 'enableKeyRotation: false'),
    finds: [{ section: 'security', impact: 'no interruption', name: 'Key', what: 'EnableKeyRotation true → false' }],
    worst: 'no interruption',
  },
  {
    title: 'rotation of passwords off is a matter of security, and takes the log of its function along',
    change: config((tier) => ({ ...tier, roles: { passwordRotation: { off: 'the platform team rotates them by hand' } } })),
    finds: [
      { section: 'security', impact: 'no interruption', resourceType: 'AWS::SecretsManager::RotationSchedule', what: 'rotation off', atDeploy: 'the password stays as it is' },
      { section: 'state', impact: 'no interruption', name: 'Rotation/FunctionLogs', what: 'log removed together with Rotation/Function', atDeploy: 'its lines are deleted, which would have ended after 90 days' },
    ],
    worst: 'no interruption',
  },
  {
    title: 'a log taken from under a function that goes on writing is lost',
    change: code('lib/tier/tier-function.ts', "new TierLogGroup(scope, `${id}Logs`", "new TierLogGroup(scope, `${id}Log`"),
    finds: [{ section: 'state', impact: 'data loss', name: 'Monitoring/CollectorLogs', what: 'renamed to' }],
    worst: 'data loss',
  },
  {
    title: 'another key is another database, empty',
    change: code('lib/tier/data-stack.ts', "new Key(this, 'Key', {", "new Key(this, 'SecondKey', {"),
    finds: [
      { section: 'state', impact: 'data loss', name: 'Database/Primary', what: 'replaced: KmsKeyId', atDeploy: 'a new one is made empty; the old one is left behind' },
      { section: 'state', impact: 'data loss', name: 'Key', what: 'renamed to SecondKey' },
    ],
    worst: 'data loss',
  },
  {
    title: 'an alarm loosened is said',
    change: code('lib/tier/monitoring/alarm-catalogue.ts', "rds('CPUUtilization'), ...average(80, '%')", "rds('CPUUtilization'), ...average(95, '%')"),
    finds: [{ section: 'alarms', impact: 'no interruption', name: 'Monitoring/Alarms/primary-cpu-critical', what: 'loosened: Threshold 80 → 95' }],
    worst: 'no interruption',
  },
  {
    title: 'an alarm removed is said',
    change: code('lib/tier/monitoring/alarm-catalogue.ts', '    ...logAlarms(),\n', ''),
    finds: [{ section: 'alarms', impact: 'no interruption', name: 'Monitoring/Alarms/deadlocks', what: 'alarm removed' }],
    worst: 'no interruption',
  },
  {
    title: 'another group of subnets is another database, empty',
    change: code('lib/tier/database/database.ts', "new SubnetGroup(this, 'Subnets'", "new SubnetGroup(this, 'DatabaseSubnets'"),
    finds: [{ section: 'state', impact: 'data loss', name: 'Database/Primary', what: 'replaced: DBSubnetGroupName' }],
    worst: 'data loss',
  },
  {
    title: 'another range of addresses replaces the network, which the databases do not survive',
    change: config((tier) => ({ ...tier, network: { ...tier.network, cidr: '10.44.0.0/16' } })),
    finds: [
      { section: 'state', impact: 'deploy fails', name: 'Database/Subnets', what: 'SubnetIds' },
      { section: 'rest', impact: 'downtime', name: 'Network/Vpc' },
      { section: 'rest', impact: 'downtime', name: 'Network/Vpc/databaseSubnet1/RouteTable', follows: 'NetworkVpc7FB7348F' },
    ],
    worst: 'downtime',
  },
  {
    title: 'protection taken away is said',
    change: database({ protection: { disposable: 'moved to another account last week' } }),
    finds: [
      { section: 'state', impact: 'no interruption', name: 'the stack', what: 'termination protection off' },
      { section: 'state', impact: 'no interruption', name: 'Database/Primary', what: 'DeletionProtection true → false' },
      { section: 'state', impact: 'no interruption', name: 'Database/Primary', what: 'DeletionPolicy Retain → Delete' },
    ],
    worst: 'no interruption',
  },
  {
    title: 'another account is a second, empty tier',
    before: config((tier) => ({ ...tier, account: '111122223333', region: 'eu-central-1' })),
    change: config((tier) => ({ ...tier, account: '444455556666', region: 'eu-central-1' })),
    finds: [{ section: 'state', impact: 'data loss', name: 'the stack', what: 'aws://111122223333/eu-central-1 → aws://444455556666/eu-central-1' }],
    worst: 'data loss',
  },
];
