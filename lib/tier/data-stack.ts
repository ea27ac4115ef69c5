import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { ArnFormat, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';

import type { ResolvedTierConfig } from '../config/resolve-config';
import { Database } from './database/database';
import { AccessControl } from './network/access-control';
import { accessList } from './network/access-list';
import { Network } from './network/network';

export interface DataStackProps extends StackProps {
  readonly config: ResolvedTierConfig;
}

/** What must never be lost: the network, the key and the databases. */
export class DataStack extends Stack {
  readonly network: Network;
  readonly access: AccessControl;
  readonly encryptionKey: Key;
  readonly database: Database;

  constructor(scope: Construct, id: string, props: DataStackProps) {
    super(scope, id, props);
    const { config } = props;

    this.encryptionKey = new Key(this, 'Key', {
      description: `data of ${this.stackName}`,
      enableKeyRotation: true,
      removalPolicy: config.database.protection === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    // Alarms are published to a topic that this key encrypts. https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    this.encryptionKey.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsOfThisAccount',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        resources: ['*'],
        conditions: { StringEquals: { 'aws:SourceAccount': this.account } },
      }),
    );
    // Without it, CloudWatch refuses to make the log groups of both stacks.
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    this.encryptionKey.addToResourcePolicy(
      new PolicyStatement({
        sid: 'LogsOfThisAccount',
        principals: [new ServicePrincipal(`logs.${this.region}.amazonaws.com`)],
        actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:Describe*'],
        resources: ['*'],
        conditions: { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': this.formatArn({ service: 'logs', resource: 'log-group', resourceName: '*', arnFormat: ArnFormat.COLON_RESOURCE_NAME }) } },
      }),
    );

    this.network = new Network(this, 'Network', { encryptionKey: this.encryptionKey, config: config.network });
    this.access = new AccessControl(this, 'Access', {
      vpc: this.network.vpc,
      accessList: accessList(config.network),
      endpointSecurityGroup: this.network.endpointSecurityGroup,
    });
    this.database = new Database(this, 'Database', {
      vpc: this.network.vpc,
      vpcSubnets: this.network.databaseSubnets,
      primarySecurityGroup: this.access.securityGroups.primary,
      replicaSecurityGroup: this.access.securityGroups.replicas,
      encryptionKey: this.encryptionKey,
      config: config.database,
      replicas: config.replicas,
    });
  }
}
