import { environments } from '../../lib/config/environments';
import { resolveConfig } from '../../lib/config/resolve-config';
import type { TierConfig } from '../../lib/config/tier-config';
import { configProblems, describeProblems, InvalidConfigError, validateConfig } from '../../lib/config/validate-config';

const base: TierConfig = environments.production;

/** The problems of the production environment after a change, one line each. */
function problemsOf(change: (config: TierConfig) => TierConfig): readonly string[] {
  return configProblems(resolveConfig('production', change(base))).map(({ field, message }) => `${field}: ${message}`);
}

const withDatabase = (database: Partial<TierConfig['database']>) => (config: TierConfig) => ({ ...config, database: { ...config.database, ...database } });
const withStorage = (storage: TierConfig['database']['storage']) => withDatabase({ storage });
const withReplica = (replica: TierConfig['replicas'][string]) => (config: TierConfig) => ({ ...config, replicas: { 'replica-1': replica } });
const withPooler = (pooler: TierConfig['pooler']) => (config: TierConfig) => ({ ...config, pooler: { ...config.pooler, ...pooler } });

describe('the environments of the app', () => {
  it.each(Object.entries(environments))('%s has no problem', (name, config) => {
    expect(configProblems(resolveConfig(name, config))).toEqual([]);
  });
});

describe('a configuration is refused', () => {
  it.each<[string, (config: TierConfig) => TierConfig, string]>([
    [
      'with a replica of fewer max_connections than the primary',
      withReplica({ maxConnections: 400 }),
      "replicas.replica-1.maxConnections: 400 is below the primary's 500: a standby refuses to start so; raise it to 500",
    ],
    [
      'with a replica of an older minor version than the primary',
      withReplica({ engineVersion: '17.8' }),
      "replicas.replica-1.engineVersion: 17.8 is below the primary's 17.9: RDS upgrades replicas first; raise it to 17.9 in a deploy of its own",
    ],
    [
      'with an instance class that does not exist',
      withDatabase({ instanceClass: 'r7g.huge' }),
      'database.instanceClass: "r7g.huge" is not an RDS instance class for PostgreSQL 17; choose one of r7g.large, r7g.xlarge, r7g.2xlarge, r7g.4xlarge, r7g.8xlarge, r7g.12xlarge, r7g.16xlarge',
    ],
    [
      'with more sessions than the instance has memory for',
      withDatabase({ instanceClass: 't4g.micro', databaseInsights: 'standard' }),
      'database.maxConnections: 500 sessions do not fit into the 1024 MiB of t4g.micro, for which RDS would allow 112; lower it, with the pool, or choose a larger instanceClass',
    ],
    [
      'with more sessions than a replica has memory for',
      withReplica({ instanceClass: 't4g.micro' }),
      'replicas.replica-1.maxConnections: 500 sessions do not fit into the 1024 MiB of t4g.micro, for which RDS would allow 112; lower it, with the pool, or choose a larger instanceClass',
    ],
    [
      'with an instance class that carries the prefix',
      withDatabase({ instanceClass: 'db.r7g.large' }),
      'database.instanceClass: "db.r7g.large" is not an RDS instance class for PostgreSQL 17; write it without the prefix: "r7g.large"',
    ],
    [
      'with IOPS on gp3 below 400 GiB',
      withStorage({ sizeGiB: 100, iops: 12000 }),
      'database.storage.iops: 12000 cannot be set on gp3 below 400 GiB (sizeGiB is 100): it has 3000; leave it out, or raise sizeGiB to 400',
    ],
    [
      'with too few IOPS on gp3 from 400 GiB',
      withStorage({ sizeGiB: 400, iops: 3000 }),
      'database.storage.iops: 3000 is not a whole number from 12000 to 64000 (IOPS on gp3 from 400 GiB)',
    ],
    [
      'with more throughput than its IOPS carry',
      withStorage({ sizeGiB: 400, iops: 12000, throughputMiBps: 4000 }),
      'database.storage.throughputMiBps: 4000 MiB/s needs 16000 IOPS (a quarter of a MiB/s for each), but iops is 12000; raise iops, or lower it to 3000',
    ],
    [
      'with no room for storage to grow',
      withStorage({ sizeGiB: 400, maxSizeGiB: 410 }),
      'database.storage.maxSizeGiB: 410 GiB must be at least 10 % over sizeGiB (440) and at most 65536',
    ],
    ['without backups, which replicas need', withDatabase({ backupRetentionDays: 0 }), 'database.backupRetentionDays: 0 is not a whole number from 1 to 35 (days; a read replica needs backups on its source)'],
    ['with a parameter that nobody knows', withDatabase({ parameters: { max_wall_size: '900' } }), 'database.parameters.max_wall_size: neither PostgreSQL 17 nor RDS has it; did you mean max_wal_size or max_slot_wal_keep_size or wal_keep_size?'],
    ['with a parameter out of its range', withDatabase({ parameters: { work_mem: '12' } }), 'database.parameters.work_mem: 12 is not a whole number from 64 to 2147483647, in units of kB'],
    ['with a parameter that has a suffix', withDatabase({ parameters: { work_mem: '16MB' } }), 'database.parameters.work_mem: "16MB" is not a whole number, in units of kB; RDS takes no suffix: write the number alone'],
    ['with a boolean in words', withDatabase({ parameters: { jit: 'on' } }), 'database.parameters.jit: "on" is no boolean as RDS takes it; write "1" for on, "0" for off'],
    ['with a parameter that RDS sets itself', withDatabase({ parameters: { fsync: '0' } }), 'database.parameters.fsync: is set by RDS itself, and no parameter group may change it; leave it out'],
    ['with a parameter that the tier owns', withDatabase({ parameters: { max_connections: '900' } }), 'database.parameters.max_connections: is set by the tier; use the field of the configuration, or leave it out'],
    ['without a reason for disposable data', withDatabase({ protection: { disposable: 'x' } }), 'database.protection: the reason "x" does not say why this data may be deleted; write a sentence, or use \'retain\''],
    ['without a replica', (config) => ({ ...config, replicas: {} }), 'replicas: there is none; the tier promises a read-only endpoint: add at least one'],
    ['with every replica retiring', withReplica({ retiring: true }), 'replicas: all are retiring: the read-only endpoint would have no database; add one before the last is retired'],
    [
      'with one identifier for two instances',
      withReplica({ instanceIdentifier: 'bookedbarber-prod' }),
      'replicas.replica-1.instanceIdentifier: "bookedbarber-prod" is already the name of database; choose another',
    ],
    [
      'with half of everybody as an application',
      (config) => ({ ...config, network: { ...config.network, applications: { web: '128.0.0.0/1' } } }),
      'network.applications.web: "128.0.0.0/1" is wider than any private network, /8; name the range or the security group of the application',
    ],
    [
      'with an application whose range does not begin with its network',
      (config) => ({ ...config, network: { ...config.network, applications: { web: '010.20.33.7/20' } } }),
      'network.applications.web: "010.20.33.7/20" does not begin with its network; write "10.20.32.0/20"',
    ],
    [
      'with a network that does not begin where its range does',
      (config) => ({ ...config, network: { ...config.network, cidr: '10.20.3.0/16' } }),
      'network.cidr: "10.20.3.0/16" does not begin with its network; write "10.20.0.0/16"',
    ],
    ['with a time that no day has', withDatabase({ maintenanceWindow: 'Sun:25:30-Sun:26:30' }), 'database.maintenanceWindow: "Sun:25:30-Sun:26:30" is not like "Sun:08:30-Sun:09:30" (UTC)'],
    ['with a backup window that is too short', withDatabase({ backupWindow: '23:50-00:10' }), 'database.backupWindow: "23:50-00:10" is 20 minutes long; RDS wants at least 30'],
    ['with a maintenance window that is too short', withDatabase({ maintenanceWindow: 'Sun:23:50-Mon:00:10' }), 'database.maintenanceWindow: "Sun:23:50-Mon:00:10" is 20 minutes long; RDS wants at least 30'],
    [
      'with maintenance during the backup',
      withDatabase({ backupWindow: '08:00-09:00' }),
      'database.maintenanceWindow: "Sun:08:30-Sun:09:30" overlaps backupWindow ("08:00-09:00", each day), which RDS refuses; move one of them',
    ],
    [
      'with maintenance during the backup, over the end of the week',
      withDatabase({ backupWindow: '23:30-00:30', maintenanceWindow: 'Mon:00:00-Mon:01:00' }),
      'database.maintenanceWindow: "Mon:00:00-Mon:01:00" overlaps backupWindow ("23:30-00:30", each day), which RDS refuses; move one of them',
    ],
    ['with a tag that AWS keeps for itself', (config) => ({ ...config, tags: { 'aws:team': 'data' } }), 'tags.aws:team: "aws:team" begins with "aws:", which AWS keeps for itself; choose another'],
    ['with a pool that is no number', withPooler({ poolSize: NaN }), 'pooler: poolSize of NaN is not a whole number of connections'],
    ['with a limit of connections that is no number', withDatabase({ maxConnections: NaN }), 'database.maxConnections: NaN is not a whole number from 25 to 8388607 (connections)'],
    [
      'with everybody as an application',
      (config) => ({ ...config, network: { ...config.network, applications: { web: '0.0.0.0/0' } } }),
      'network.applications.web: "0.0.0.0/0" is everybody; name the range or the security group of the application',
    ],
    [
      'with a VPC too small for its subnets',
      (config) => ({ ...config, network: { ...config.network, cidr: '10.20.0.0/25' } }),
      'network.cidr: "10.20.0.0/25" is not an IPv4 block of /16 to /23; six subnets of /26 must fit, for example "10.20.0.0/16"',
    ],
    ['with memory that Fargate does not offer', withPooler({ taskCpu: 1024, taskMemoryMiB: 512 }), 'pooler.taskMemoryMiB: 512 does not go with taskCpu 1024 on Fargate; choose one of 2048, 3072, 4096, 5120, 6144, 7168, 8192'],
    [
      "with a transaction_timeout that outlives the pooler's drain",
      (config) => ({ ...config, roles: { applicationTransactionTimeoutMs: 90_000 } }),
      "roles.applicationTransactionTimeoutMs: a transaction_timeout of 90000 ms lets a transaction outlive the pooler's drain, which would cut its commit; set it to 65000 ms or less",
    ],
    ['with fewer tasks at most than at least', withPooler({ minTasks: 3, maxTasks: 2 }), 'pooler.maxTasks: 2 is below minTasks (3); raise it to at least that'],
  ])('%s', (_title, change, expected) => {
    expect(problemsOf(change)).toEqual([expected]);
  });

  it('when its pools exceed max_connections, with the number to change', () => {
    const [problem, ...others] = problemsOf(withPooler({ poolSize: 400 }));
    expect(problem).toMatch(/^pooler: pool of 400 .* exceeds the \d+ connections free on the primary; lower .* to \d+/);
    expect(others).toEqual([]);
  });

  it('with a name of an index over 63 bytes, and with two of one name', () => {
    const long = `idx_${'ü'.repeat(30)}`;
    const problems = problemsOf((config) => ({
      ...config,
      indexes: [
        { name: long, table: 'users', definition: '(email)' },
        { name: 'idx_twice', table: 'users', definition: '(email)' },
        { name: 'idx_twice', table: 'users', definition: '(location_id)' },
      ],
    }));
    expect(problems).toHaveLength(2);
    expect(problems.join('\n')).toMatch(/64 bytes.*63/);
    expect(problems.join('\n')).toMatch(/idx_twice/);
  });
});

describe('validateConfig', () => {
  it('names every problem at once, with the environment', () => {
    const broken = resolveConfig('production', { ...withReplica({ maxConnections: 400 })(withStorage({ sizeGiB: 5 })(base)) });
    let error: unknown;
    try {
      validateConfig(broken);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(InvalidConfigError);
    const { message } = error as InvalidConfigError;
    expect(message).toMatch(/^environment "production" has 2 problems:\n/);
    expect(message).toContain('database.storage.sizeGiB: 5 is not a whole number from 20 to 65536 (GiB)');
    expect(message).toContain("replicas.replica-1.maxConnections: 400 is below the primary's 500");
  });
});

describe('problems of several environments', () => {
  it('are named once, with those that have them', () => {
    const [shared, own] = [{ field: 'indexes', message: 'twice' }, { field: 'region', message: 'unknown' }];
    const described = describeProblems([
      { environmentName: 'development', problems: [shared, shared] },
      { environmentName: 'staging', problems: [own, shared] },
    ]);
    expect(described).toBe('environments "development", "staging" have 1 problem:\n  indexes: twice\nenvironment "staging" has 1 problem:\n  region: unknown');
  });
});
