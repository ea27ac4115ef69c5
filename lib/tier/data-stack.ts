import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib/core';
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

    this.network = new Network(this, 'Network', { config: config.network });
    this.access = new AccessControl(this, 'Access', {
      vpc: this.network.vpc,
      accessList: accessList(config.network),
      endpointSecurityGroup: this.network.endpointSecurityGroup,
    });
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
