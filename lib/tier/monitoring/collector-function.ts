import { join } from 'node:path';

import type { FargateService } from 'aws-cdk-lib/aws-ecs';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { ArnFormat, Duration, Stack } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';

import { databaseEnvironment } from '../database/database.contract';
import { poolerPort, postgresPort } from '../network/access-list';
import { secretDecryption } from '../secret-decryption';
import { TierFunction, type TierFunctionNetwork } from '../tier-function';
import { collectorEnvironment } from './monitoring.contract';

export interface CollectorFunctionProps {
  readonly environmentName: string;
  readonly network: TierFunctionNetwork;
  readonly databaseName: string;
  /** Host names by the name of the instance: `primary` first. */
  readonly instanceHosts: Readonly<Record<string, string>>;
  readonly poolerService: FargateService;
  /** Of a role with `pg_monitor`, which the admin console lets in for SHOW. */
  readonly secret: ISecret;
  /** Encrypts the secret. */
  readonly encryptionKey: IKey;
}

/** Asks instances and pooler once a minute and writes metrics. */
export class CollectorFunction extends TierFunction {
  constructor(scope: Construct, id: string, props: CollectorFunctionProps) {
    const { cluster, serviceName } = props.poolerService;
    super(scope, id, {
      entry: join(__dirname, 'collector.lambda.ts'),
      description: 'writes metrics of the instances and of the pooler',
      // Less than the minute between two calls: they never overlap.
      timeout: Duration.seconds(50),
      network: props.network,
      environment: {
        [collectorEnvironment.environmentName]: props.environmentName,
        [collectorEnvironment.instances]: Object.entries(props.instanceHosts).map(([name, host]) => `${name}=${host}`).join(','),
        [collectorEnvironment.cluster]: cluster.clusterName,
        [collectorEnvironment.service]: serviceName,
        [collectorEnvironment.poolerPort]: `${poolerPort}`,
        [databaseEnvironment.port]: `${postgresPort}`,
        [databaseEnvironment.name]: props.databaseName,
        [databaseEnvironment.secretArn]: props.secret.secretArn,
      },
    });
    props.secret.grantRead(this);
    this.addToRolePolicy(secretDecryption(scope, props.encryptionKey));
    const inCluster = { ArnEquals: { 'ecs:cluster': cluster.clusterArn } };
    // Listing names no resource: the cluster is its condition.
    this.addToRolePolicy(new PolicyStatement({ actions: ['ecs:ListTasks'], resources: ['*'], conditions: inCluster }));
    const tasks = Stack.of(scope).formatArn({ service: 'ecs', resource: 'task', resourceName: `${cluster.clusterName}/*`, arnFormat: ArnFormat.SLASH_RESOURCE_NAME });
    this.addToRolePolicy(new PolicyStatement({ actions: ['ecs:DescribeTasks'], resources: [tasks], conditions: inCluster }));
    new Rule(scope, 'EveryMinute', {
      description: 'collects metrics of the database tier',
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [new LambdaFunction(this, { retryAttempts: 0, maxEventAge: Duration.minutes(1) })],
    });
  }
}
