import type { FargateService } from 'aws-cdk-lib/aws-ecs';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { ArnFormat, Stack } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';

import { databaseEnvironment } from '../database/database.contract';
import { poolerPort, postgresPort } from '../network/access-list';
import { secretDecryption } from '../secret-decryption';
import { TierFunction, type TierFunctionNetwork, type TierFunctionProps } from '../tier-function';
import { observerEnvironment } from './monitoring.contract';

export interface ObserverFunctionProps extends Pick<TierFunctionProps, 'poolerVerification'> {
  readonly environmentName: string;
  readonly network: TierFunctionNetwork;
  readonly databaseName: string;
  /** Host names by the name of the instance: `primary` first. */
  readonly instanceHosts: Readonly<Record<string, string>>;
  readonly poolerService: FargateService;
  /** Of a role with `pg_monitor`, which the admin console lets in for SHOW. */
  readonly secret: ISecret;
  /** Encrypts the secret, and the logs. */
  readonly encryptionKey: IKey;
}

/** A function that asks every instance and every task of the pooler, and changes nothing. */
export class ObserverFunction extends TierFunction {
  constructor(scope: Construct, id: string, props: ObserverFunctionProps, own: Pick<TierFunctionProps, 'entry' | 'description' | 'timeout'>) {
    const { cluster, serviceName } = props.poolerService;
    super(scope, id, {
      ...own,
      network: props.network,
      encryptionKey: props.encryptionKey,
      poolerVerification: props.poolerVerification,
      environment: {
        [observerEnvironment.environmentName]: props.environmentName,
        [observerEnvironment.instances]: Object.entries(props.instanceHosts).map(([name, host]) => `${name}=${host}`).join(','),
        [observerEnvironment.cluster]: cluster.clusterName,
        [observerEnvironment.service]: serviceName,
        [observerEnvironment.poolerPort]: `${poolerPort}`,
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
  }
}
