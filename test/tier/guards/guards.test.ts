import { CfnSecurityGroupIngress } from 'aws-cdk-lib/aws-ec2';
import { CfnUrl } from 'aws-cdk-lib/aws-lambda';
import { CfnResource } from 'aws-cdk-lib/core';

import { environments } from '../../../lib/config/environments';
import type { TierConfig } from '../../../lib/config/tier-config';
import { addTiers, type DatabaseTier } from '../../../lib/tier/database-tier';
import { guardBackups } from '../../../lib/tier/guards/backups';
import { testApp } from '../../synthesize';

type Change = (resource: (path: string) => CfnResource, tier: DatabaseTier) => void;

/** What the guards say of production after a change of its constructs, one problem a line. */
function refusals(change: Change, config: TierConfig = environments.production): readonly string[] {
  const app = testApp();
  const [tier] = addTiers(app, { production: config });
  const resource = (path: string): CfnResource => {
    const construct = path.split('/').reduce((scope, id) => scope.node.findChild(id), tier!.node.scope!.node.findChild('production'));
    return CfnResource.isCfnResource(construct) ? construct : (construct.node.defaultChild as CfnResource);
  };
  change(resource, tier!);
  try {
    app.synth();
    return [];
  } catch (error) {
    return (error as Error).message.split('\n').slice(1).map((line) => line.replace('[guards]', '').trim());
  }
}

const primary = 'production/data/Database/Primary (DatabasePrimaryEDE0B3D0)';
const taskDefinition = 'production/service/Pooler/Task (PoolerTask4A31034F)';

describe('a synth', () => {
  it('passes with production as it stands', () => {
    expect(refusals(() => undefined)).toEqual([]);
  });

  it('refuses state that goes with its stack, and says all at once', () => {
    expect(
      refusals((resource, tier) => {
        tier.data.terminationProtection = false;
        const database = resource('data/Database/Primary');
        database.addOverride('DeletionPolicy', 'Snapshot');
        database.addOverride('UpdateReplacePolicy', 'Delete');
        database.addPropertyOverride('DeletionProtection', false);
        database.addPropertyDeletionOverride('DeleteAutomatedBackups');
        resource('service/Roles/ApplicationSecret').addOverride('DeletionPolicy', undefined);
      }),
    ).toEqual([
      `${primary}: DeletionPolicy is "Snapshot": a destroyed stack, or a renamed construct, deletes it; set removalPolicy: RemovalPolicy.RETAIN`,
      `${primary}: UpdateReplacePolicy is "Delete": a property that replaces it deletes it; set removalPolicy: RemovalPolicy.RETAIN`,
      `${primary}: DeletionProtection is false: one click or call deletes it; set deletionProtection: true`,
      `${primary}: DeleteAutomatedBackups is not set: its backups would go with it; set deleteAutomatedBackups: false`,
      `${primary}: terminationProtection of its stack is false: a destroyed stack takes the network from it; set terminationProtection: true`,
      'production/service/Roles/ApplicationSecret (RolesApplicationSecret3FB5A989): DeletionPolicy is not set: a destroyed stack, or a renamed construct, deletes it; set removalPolicy: RemovalPolicy.RETAIN',
    ]);
  });

  it('refuses a primary without backups, of a disposable environment too if it has replicas', () => {
    const withoutBackups: Change = (resource) => resource('data/Database/Primary').addPropertyOverride('BackupRetentionPeriod', 0);
    const disposable = { ...environments.production, database: { ...environments.production.database, protection: { disposable: 'a copy for a test of an hour' } } } as const;
    expect(refusals(withoutBackups, disposable)).toEqual([`${primary}: BackupRetentionPeriod is 0: RDS makes no replica of an instance without backups; set backupRetentionDays to 1 to 35`]);

    const alone = { id: 'data', terminationProtection: true, template: { Resources: { Primary: { Type: 'AWS::RDS::DBInstance', Properties: { BackupRetentionPeriod: 0 } } } } } as const;
    expect(guardBackups({ ...alone, disposable: false })).toEqual([{ logicalId: 'Primary', message: 'BackupRetentionPeriod is 0: nothing could be restored; set backupRetentionDays to 1 to 35' }]);
    expect(guardBackups({ ...alone, disposable: true })).toEqual([]);
  });

  it('refuses whatever the internet could reach', () => {
    expect(
      refusals((resource, tier) => {
        resource('data/Database/Primary').addPropertyDeletionOverride('PubliclyAccessible');
        resource('data/Database/Replica-replica-1').addPropertyOverride('PubliclyAccessible', true);
        resource('data/Database/Subnets').addPropertyOverride('SubnetIds.0', { Ref: tier.data.resolve((resource('data/Network/Vpc/publicSubnet1')).logicalId) as string });
        new CfnSecurityGroupIngress(tier.data, 'Everybody', { groupId: 'sg-1', ipProtocol: 'tcp', fromPort: 5432, toPort: 5432, cidrIpv6: '::/0' });
        resource('data/Key').addPropertyOverride('KeyPolicy.Statement.0.Principal', { AWS: '*' });
        resource('service/Pooler/Balancer').addPropertyOverride('Scheme', 'internet-facing');
        resource('service/Pooler/Service/Service').addPropertyOverride('NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp', 'ENABLED');
        new CfnUrl(tier.service, 'Url', { authType: 'NONE', targetFunctionArn: 'arn' });
      }),
    ).toEqual([
      `${primary}: PubliclyAccessible is not set: it would get a public address; set publiclyAccessible: false`,
      'production/data/Database/Replica-replica-1 (DatabaseReplicareplica159B3D45E): PubliclyAccessible is true: it would get a public address; set publiclyAccessible: false',
      expect.stringMatching(/^production\/data\/Database\/Subnets\/Default \(DatabaseSubnets56F17B9A\): SubnetIds holds NetworkVpcpublicSubnet1Subnet\w+, whose routes lead to an internet gateway; use isolated subnets$/),
      'production/data/Everybody (Everybody): ingress to port 5432 from ::/0: that is everybody; name the addresses or the security group of who it is for',
      'production/data/Key (Key961B73FD): KeyPolicy allows Principal {"AWS":"*"} without a condition: every AWS account may use it; name who may',
      'production/service/Pooler/Balancer (PoolerBalancer6A0BF814): Scheme is "internet-facing": it would get public addresses; set internetFacing: false',
      expect.stringMatching(/^production\/service\/Pooler\/Service\/Service \(\w+\): AssignPublicIp is "ENABLED": its tasks could get public addresses; set assignPublicIp: false$/),
      'production/service/Url (Url): AuthType is "NONE": anybody could call the function; set authType: FunctionUrlAuthType.AWS_IAM',
    ]);
  });

  it('refuses what is kept without encryption', () => {
    expect(
      refusals((resource) => {
        resource('data/Database/Primary').addPropertyOverride('StorageEncrypted', false);
        resource('data/Database/MasterSecret').addPropertyDeletionOverride('KmsKeyId');
        resource('service/Pooler/Logs').addPropertyDeletionOverride('KmsKeyId');
        resource('service/Monitoring/Alarms-Topic').addPropertyDeletionOverride('KmsMasterKeyId');
      }),
    ).toEqual([
      'production/data/Database/MasterSecret (DatabaseMasterSecretC5C2A01F): KmsKeyId is not set: it would be kept without the tier\'s encryption; set encryptionKey to the data stack\'s key',
      `${primary}: StorageEncrypted is false: it would be kept without the tier's encryption; set storageEncrypted: true and a key; it cannot be encrypted later`,
      expect.stringMatching(/^production\/service\/Pooler\/Logs \(\w+\): KmsKeyId is not set: .*make it a TierLogGroup$/),
      expect.stringMatching(/^production\/service\/Monitoring\/Alarms-Topic \(\w+\): KmsMasterKeyId is not set: /),
    ]);
  });

  it('refuses a template that lacks a pinned id', () => {
    expect(refusals((resource) => resource('data/Database/Primary').overrideLogicalId('Main'))).toEqual([
      'production/data (DatabasePrimaryEDE0B3D0): pinned, and gone from the data stack: a deploy would lose what it holds; give the construct its old id and place again, or take the entry out of lib/tier/guards/pinned-logical-ids.ts in the same change',
    ]);
  });

  it('refuses secrets in plain text, and does not repeat them', () => {
    const found = refusals((resource) => {
      const environment = (index: number, Name: string, Value: unknown): void => resource('service/Pooler/Task').addPropertyOverride(`ContainerDefinitions.0.Environment.${index}`, { Name, Value });
      environment(0, 'DATABASE_URL', 'postgresql://app:hunter2@primary:5432/bookedbarber');
      environment(1, 'PGPASSWORD', 'hunter2');
      environment(2, 'USERLIST_TOKEN', { 'Fn::Join': ['', ['{{resolve:secretsmanager:', { Ref: 'Secret' }, ':SecretString:password::}}']] });
      environment(3, 'NOTE', 'SCRAM-SHA-256$4096:hunter2');
      resource('data/Database/Primary').addPropertyOverride('MasterUserPassword', 'hunter2');
      resource('service/SmokeCheck/Check').addPropertyOverride('Environment.Variables.API_KEY', 'hunter2');
      resource('service/Roles/ApplicationSecret').addPropertyOverride('SecretString', 'hunter2');
    });
    expect(found).toEqual([
      `${primary}: MasterUserPassword is a literal of 7 characters under the name of a secret; keep it in Secrets Manager and refer to it`,
      'production/service/Roles/ApplicationSecret (RolesApplicationSecret3FB5A989): SecretString is a literal of 7 characters under the name of a secret; keep it in Secrets Manager and refer to it',
      `${taskDefinition}: ContainerDefinitions.Environment.DATABASE_URL holds a password in a URL (50 characters); give its ARN and let it be read at run time, or use the task's Secrets`,
      `${taskDefinition}: ContainerDefinitions.Environment.PGPASSWORD is a literal of 7 characters under the name of a secret; give its ARN and let it be read at run time, or use the task's Secrets`,
      `${taskDefinition}: ContainerDefinitions.Environment.USERLIST_TOKEN resolves to a secret in plain text; give its ARN and let it be read at run time, or use the task's Secrets`,
      `${taskDefinition}: ContainerDefinitions.Environment.NOTE holds a SCRAM verifier (26 characters); give its ARN and let it be read at run time, or use the task's Secrets`,
      "production/service/SmokeCheck/Check (SmokeCheckB8378F13): Environment.Variables.API_KEY is a literal of 7 characters under the name of a secret; give its ARN and let it be read at run time, or use the task's Secrets",
    ]);
    expect(found.join()).not.toContain('hunter2');
  });
});
