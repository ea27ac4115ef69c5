import { SecurityGroup, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib/core';

import { environments } from '../../../lib/config/environments';
import { resolveConfig } from '../../../lib/config/resolve-config';
import { DatabaseRoles } from '../../../lib/tier/roles/database-roles';
import { testApp } from '../../synthesize';

const keyArn = 'arn:aws:kms:eu-central-1:111111111111:key/11111111-2222-3333-4444-555555555555';
const masterSecretArn = 'arn:aws:secretsmanager:eu-central-1:111111111111:secret:master-AbCdEf';

function synthesize(secretsRemovalPolicy = RemovalPolicy.RETAIN): Template {
  const stack = new Stack(testApp(), 'service');
  const vpc = new Vpc(stack, 'Vpc', { natGateways: 1 });
  const encryptionKey = Key.fromKeyArn(stack, 'Key', keyArn);
  const roles = new DatabaseRoles(stack, 'Roles', {
    network: {
      vpc,
      vpcSubnets: { subnetType: SubnetType.PRIVATE_WITH_EGRESS },
      securityGroup: new SecurityGroup(stack, 'SecurityGroup', { vpc }),
    },
    database: { host: 'primary.local', port: 5432, name: 'bookedbarber' },
    masterSecret: Secret.fromSecretAttributes(stack, 'MasterSecret', {
      secretCompleteArn: masterSecretArn,
      encryptionKey,
    }),
    encryptionKey,
    secretsRemovalPolicy,
    config: resolveConfig('staging', environments.staging),
  });
  new CfnOutput(stack, 'UserlistVersion', { value: roles.userlistVersion });
  return Template.fromStack(stack);
}

describe('the roles of a tier', () => {
  let template: Template;
  const secrets = () =>
    Object.values(template.findResources('AWS::SecretsManager::Secret')) as { Properties: Record<string, unknown> }[];
  beforeAll(() => {
    template = synthesize();
  });

  it('have a secret each, encrypted with the key of the tier, and one for the userlist', () => {
    template.resourceCountIs('AWS::SecretsManager::Secret', 8);
    template.allResourcesProperties('AWS::SecretsManager::Secret', { KmsKeyId: keyArn });
  });

  it('have passwords of over 256 random bits that need no escaping, made by Secrets Manager for a user that is named', () => {
    const users = secrets().flatMap(({ Properties: { GenerateSecretString: generated } }) => {
      if (!generated) return [];
      expect(generated).toMatchObject({ GenerateStringKey: 'password', PasswordLength: 44, ExcludePunctuation: true });
      expect(44 * Math.log2(62)).toBeGreaterThan(256);
      return (JSON.parse((generated as { SecretStringTemplate: string }).SecretStringTemplate) as { username: string })
        .username;
    });
    expect(users).toEqual([
      'bookedbarber_app',
      'bookedbarber_readonly',
      'bookedbarber_migrations',
      'bookedbarber_indexes',
      'bookedbarber_collector',
      'pgbouncer_admin',
      'bookedbarber_rotation',
    ]);
  });

  it('start with a userlist secret that the template gives no value, so that no deploy overwrites it', () => {
    const [userlist, ...others] = secrets().filter(({ Properties }) => !Properties.GenerateSecretString);
    expect(others).toEqual([]);
    expect(Object.keys(userlist!.Properties)).toEqual(['Description', 'KmsKeyId']);
  });

  it('keep the logical ids of their secrets: another id is another password', () => {
    expect(Object.keys(template.findResources('AWS::SecretsManager::Secret'))).toMatchInlineSnapshot(`
     [
       "RolesApplicationSecret3FB5A989",
       "RolesReadOnlySecretF573AE0E",
       "RolesMigrationsSecretEF7F76FC",
       "RolesIndexesSecret622977E2",
       "RolesCollectorSecret7E13537F",
       "RolesPoolerAdminSecret71EF6A6E",
       "RolesRotationSecret9C246679",
       "RolesUserlist2F58AEC0",
     ]
    `);
  });

  it('put neither a password nor a verifier into the template', () => {
    for (const { Properties } of secrets()) expect(Properties).not.toHaveProperty('SecretString');
    const text = JSON.stringify(template.toJSON());
    expect(text).not.toContain('SCRAM-SHA-256$');
    expect(text).not.toContain('{{resolve:');
  });

  it('are kept with the stack gone, or not, as the caller says', () => {
    template.allResources('AWS::SecretsManager::Secret', { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    synthesize(RemovalPolicy.DESTROY).allResources('AWS::SecretsManager::Secret', {
      DeletionPolicy: 'Delete',
      UpdateReplacePolicy: 'Delete',
    });
  });

  it('are made by a function that may read those secrets and the master, write the userlist, and no more', () => {
    const [policy] = Object.values(
      template.findResources('AWS::IAM::Policy', {
        Properties: { PolicyName: Match.stringLikeRegexp('^RolesBootstrap') },
      }),
    );
    const { Statement: statements } = (policy as { Properties: { PolicyDocument: { Statement: object[] } } }).Properties
      .PolicyDocument;
    const secretIds = Object.keys(template.findResources('AWS::SecretsManager::Secret'));
    expect(statements).toEqual([
      {
        Effect: 'Allow',
        Action: ['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue'],
        Resource: [masterSecretArn, ...secretIds.sort().map((Ref) => ({ Ref }))],
      },
      {
        Effect: 'Allow',
        Action: 'secretsmanager:PutSecretValue',
        Resource: { Ref: secretIds.find((id) => id.startsWith('RolesUserlist')) },
      },
      {
        Effect: 'Allow',
        Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
        Resource: keyArn,
        Condition: {
          StringEquals: {
            'kms:ViaService': { 'Fn::Join': ['', ['secretsmanager.', { Ref: 'AWS::Region' }, '.amazonaws.com']] },
          },
        },
      },
    ]);
  });

  it('log in to the primary as the master', () => {
    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: {
        Variables: Match.objectLike({
          DATABASE_HOST: 'primary.local',
          DATABASE_PORT: '5432',
          DATABASE_NAME: 'bookedbarber',
          DATABASE_SECRET_ARN: masterSecretArn,
          USERLIST_SECRET_ARN: { Ref: Match.stringLikeRegexp('^RolesUserlist') },
        }),
      },
    });
  });

  it('are made anew for another database or another userlist', () => {
    template.hasResourceProperties('Custom::PostgresRoles', {
      Database: 'primary.local:5432/bookedbarber',
      Userlist: { Ref: Match.stringLikeRegexp('^RolesUserlist') },
    });
  });

  it('give the version of the userlist to whoever must be replaced with it', () => {
    template.hasOutput('UserlistVersion', {
      Value: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Roles'), 'UserlistVersion'] },
    });
  });
});
