import { join } from 'node:path';

import type { FargateService } from 'aws-cdk-lib/aws-ecs';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { CfnRotationSchedule, type ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { ArnFormat, Duration, Stack } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';

import type { ResolvedTierConfig } from '../../config/resolve-config';
import { databaseEnvironment } from '../database/database.contract';
import { poolerPort } from '../network/access-list';
import { secretDecryption } from '../secret-decryption';
import { TierFunction, type TierFunctionNetwork, type TierFunctionProps } from '../tier-function';
import { roleCatalogue, type SecretName, secretNames } from './role-catalogue';
import { rolesEnvironment, rotationEnvironment } from './roles.contract';
import { rotatedSecret } from './rotated-secrets';

export interface PasswordRotationProps extends Pick<TierFunctionProps, 'poolerVerification'> {
  /** Where the function runs; it must reach the primary, the pooler's tasks, Secrets Manager and ECS. */
  readonly network: TierFunctionNetwork;
  /** The primary itself, not the pooler. */
  readonly database: { readonly host: string; readonly port: number | string; readonly name: string };
  /** Aliases of the pooler that lead to a database. */
  readonly poolerDatabases: readonly string[];
  readonly poolerService: FargateService;
  readonly secrets: Readonly<Record<SecretName, ISecret>>;
  readonly userlistSecret: ISecret;
  /** Encrypts the secrets. */
  readonly encryptionKey: IKey;
  readonly everyDays: number;
  readonly config: ResolvedTierConfig;
}

/** Changes every password on a schedule, while the one before it goes on working. */
export class PasswordRotation extends Construct {
  constructor(
    scope: Construct,
    id: string,
    private readonly props: PasswordRotationProps,
  ) {
    super(scope, id);
    const rotation = this.rotationFunction();
    this.permit(rotation);
    const stack = Stack.of(this);
    const invocation = { principal: new ServicePrincipal('secretsmanager.amazonaws.com'), sourceAccount: stack.account };
    rotation.addPermission('SecretsManager', invocation);
    for (const name of secretNames) {
      const schedule = new CfnRotationSchedule(this, `${name[0]!.toUpperCase()}${name.slice(1)}Schedule`, {
        secretId: props.secrets[name].secretArn,
        rotationLambdaArn: rotation.functionArn,
        // A rate in days begins at midnight, UTC. https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
        rotationRules: { scheduleExpression: `rate(${props.everyDays} ${props.everyDays === 1 ? 'day' : 'days'})`, duration: '4h' },
        // Not during a deploy, which may still have to be rolled back.
        rotateImmediatelyOnUpdate: false,
      });
      // Secrets Manager tries to call the function when the schedule is made.
      schedule.node.addDependency(rotation);
    }
  }

  private rotationFunction(): TierFunction {
    const { network, encryptionKey, database, poolerService, poolerDatabases, secrets, userlistSecret, config, poolerVerification } = this.props;
    const catalogue = roleCatalogue(config, []);
    const rotated = Object.fromEntries(secretNames.map((name) => [secrets[name].secretArn, rotatedSecret(catalogue, name, poolerDatabases)]));
    return new TierFunction(this, 'Function', {
      entry: join(__dirname, 'rotation.lambda.ts'),
      description: 'changes passwords: in the database, in the userlist of PgBouncer and in their secrets',
      // The test waits until every task has been replaced: a start, two minutes in the balancer, and the drain.
      timeout: Duration.minutes(15),
      network,
      encryptionKey,
      poolerVerification,
      environment: {
        [databaseEnvironment.host]: database.host,
        [databaseEnvironment.port]: `${database.port}`,
        [databaseEnvironment.name]: database.name,
        [databaseEnvironment.secretArn]: secrets.rotation.secretArn,
        [rolesEnvironment.userlistSecretArn]: userlistSecret.secretArn,
        [rotationEnvironment.rotatedSecrets]: Stack.of(this).toJsonString(rotated),
        [rotationEnvironment.cluster]: poolerService.cluster.clusterName,
        [rotationEnvironment.service]: poolerService.serviceName,
        [rotationEnvironment.poolerPort]: `${poolerPort}`,
      },
    });
  }

  private permit(rotation: TierFunction): void {
    const { secrets, userlistSecret, encryptionKey, poolerService } = this.props;
    const { cluster, serviceArn } = poolerService;
    const permit = (actions: readonly string[], resources: readonly string[], conditions?: Record<string, object>): void =>
      rotation.addToRolePolicy(new PolicyStatement({ actions: [...actions], resources: [...resources], conditions }));
    permit(
      ['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue', 'secretsmanager:UpdateSecretVersionStage'],
      secretNames.map((name) => secrets[name].secretArn),
    );
    permit(['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'], [userlistSecret.secretArn]);
    rotation.addToRolePolicy(secretDecryption(this, encryptionKey, ['kms:Decrypt', 'kms:GenerateDataKey']));
    permit(['ecs:DescribeServices', 'ecs:UpdateService'], [serviceArn]);
    const inCluster = { ArnEquals: { 'ecs:cluster': cluster.clusterArn } };
    // Listing names no resource: the cluster is its condition.
    permit(['ecs:ListTasks'], ['*'], inCluster);
    const tasks = Stack.of(this).formatArn({ service: 'ecs', resource: 'task', resourceName: `${cluster.clusterName}/*`, arnFormat: ArnFormat.SLASH_RESOURCE_NAME });
    permit(['ecs:DescribeTasks'], [tasks], inCluster);
  }
}
