import { Match, type Template } from 'aws-cdk-lib/assertions';

import { environments } from '../../lib/config/environments';
import { pinnedLogicalIds } from '../../lib/tier/guards/pinned-logical-ids';
import { synthesizeTier } from '../synthesize';

interface CfnResource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

const resourcesOf = (template: Template): Readonly<Record<string, CfnResource>> =>
  (template.toJSON() as { Resources: Record<string, CfnResource> }).Resources;
const instancesOf = (template: Template) => template.findResources('AWS::RDS::DBInstance') as Readonly<Record<string, CfnResource>>;

describe('the data stack of production', () => {
  let template: Template;
  beforeAll(() => {
    template = synthesizeTier('production').data;
  });

  it('keeps the logical ids of what holds state: another id is a deleted database', () => {
    const stateful = Object.entries(resourcesOf(template))
      .filter(([, { Type }]) => ['AWS::RDS::DBInstance', 'AWS::KMS::Key', 'AWS::SecretsManager::Secret', 'AWS::RDS::DBSubnetGroup', 'AWS::EC2::VPC'].includes(Type))
      .map(([logicalId]) => logicalId);
    expect(stateful).toEqual([...pinnedLogicalIds.data, 'DatabaseReplicareplica159B3D45E']);
  });

  it('retains the primary, its key and its master secret, and refuses to delete the primary', () => {
    for (const type of ['AWS::KMS::Key', 'AWS::SecretsManager::Secret']) {
      template.allResources(type, { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    }
    template.hasResource('AWS::RDS::DBInstance', {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: { DBInstanceIdentifier: 'bookedbarber-prod', DeletionProtection: true, DeleteAutomatedBackups: false },
    });
  });

  it('encrypts the primary with the key of the stack and lets a replica inherit it', () => {
    template.hasResourceProperties('AWS::RDS::DBInstance', { DBName: 'bookedbarber', StorageEncrypted: true, KmsKeyId: { 'Fn::GetAtt': ['Key961B73FD', 'Arn'] } });
    for (const { Properties: replica } of Object.values(instancesOf(template)).filter(({ Properties }) => Properties.SourceDBInstanceIdentifier)) {
      for (const inherited of ['StorageEncrypted', 'KmsKeyId', 'DBName', 'MasterUsername', 'MasterUserPassword', 'BackupRetentionPeriod']) {
        expect(replica).not.toHaveProperty(inherited);
      }
    }
  });

  it('gives every instance gp3, a pinned version, its own parameter group, insights, log export and monitoring, and no public address', () => {
    const instances = Object.values(instancesOf(template));
    expect(instances).toHaveLength(2);
    for (const { Properties: instance } of instances) {
      expect(instance).toMatchObject({
        StorageType: 'gp3',
        Iops: 12000,
        StorageThroughput: 500,
        EngineVersion: '17.9',
        AutoMinorVersionUpgrade: false,
        PubliclyAccessible: false,
        EnableCloudwatchLogsExports: ['postgresql', 'upgrade'],
        DatabaseInsightsMode: 'advanced',
        PerformanceInsightsRetentionPeriod: 465,
        MonitoringInterval: 15,
        Port: '5432',
      });
      expect(instance).toHaveProperty('MonitoringRoleArn');
    }
    const groups = instances.map(({ Properties }) => JSON.stringify(Properties.DBParameterGroupName));
    expect(new Set(groups).size).toBe(2);
  });

  it('makes the log groups of every instance, so that metric filters find them', () => {
    template.resourceCountIs('Custom::LogRetention', 4);
    template.allResourcesProperties('Custom::LogRetention', { RetentionInDays: 90 });
  });

  it('gives primary and replica groups of family postgres17 and never a smaller max_connections to the replica', () => {
    template.allResourcesProperties('AWS::RDS::DBParameterGroup', {
      Family: 'postgres17',
      Parameters: Match.objectLike({ max_connections: '500', 'rds.force_ssl': '1', shared_preload_libraries: 'pg_stat_statements' }),
    });
    template.resourceCountIs('AWS::RDS::DBParameterGroup', 2);
  });

  it('puts the databases into isolated subnets of two zones', () => {
    const [subnetGroup] = Object.values(template.findResources('AWS::RDS::DBSubnetGroup')) as CfnResource[];
    const ids = (subnetGroup!.Properties.SubnetIds as { Ref: string }[]).map(({ Ref }) => Ref);
    const subnets = resourcesOf(template);
    expect(new Set(ids.map((id) => JSON.stringify(subnets[id]!.Properties.AvailabilityZone))).size).toBe(2);
    const routes = Object.values(template.findResources('AWS::EC2::Route')) as CfnResource[];
    const databaseTables = Object.values(template.findResources('AWS::EC2::SubnetRouteTableAssociation'))
      .filter(({ Properties }) => ids.includes((Properties as { SubnetId: { Ref: string } }).SubnetId.Ref))
      .map(({ Properties }) => (Properties as { RouteTableId: { Ref: string } }).RouteTableId.Ref);
    expect(databaseTables).toHaveLength(2);
    expect(routes.filter(({ Properties }) => databaseTables.includes((Properties.RouteTableId as { Ref: string }).Ref))).toEqual([]);
  });

  it('holds the master password in a secret and nowhere else', () => {
    const primary = instancesOf(template).DatabasePrimaryEDE0B3D0!;
    expect(primary.Properties.MasterUsername).toBe('bookedbarber_master');
    expect(JSON.stringify(primary.Properties.MasterUserPassword)).toContain('{{resolve:secretsmanager:');
    template.hasResourceProperties('AWS::SecretsManager::Secret', { KmsKeyId: { 'Fn::GetAtt': ['Key961B73FD', 'Arn'] } });
  });
});

describe('the data stack of development', () => {
  it('is small and leaves nothing behind when it is destroyed', () => {
    const { data, tier } = synthesizeTier('development');
    expect(tier.data.terminationProtection).toBe(false);
    data.hasResource('AWS::RDS::DBInstance', {
      DeletionPolicy: 'Delete',
      Properties: { DBInstanceClass: 'db.t4g.medium', MultiAZ: false, DeletionProtection: false, DeleteAutomatedBackups: true, BackupRetentionPeriod: 1 },
    });
    for (const [logicalId, { DeletionPolicy }] of Object.entries(resourcesOf(data))) {
      expect([logicalId, DeletionPolicy]).not.toEqual([logicalId, 'Retain']);
    }
  });
});

describe('a changed configuration', () => {
  it('makes one instance and one group for each replica', () => {
    const { staging } = environments;
    const { data } = synthesizeTier('staging', { ...staging, replicas: { 'replica-1': {}, reports: { instanceClass: 'r7g.large', maxConnections: 600 } } });
    data.resourceCountIs('AWS::RDS::DBInstance', 3);
    data.hasResourceProperties('AWS::RDS::DBInstance', { DBInstanceClass: 'db.r7g.large' });
    data.hasResourceProperties('AWS::RDS::DBParameterGroup', { Parameters: Match.objectLike({ max_connections: '600' }) });
  });
});
