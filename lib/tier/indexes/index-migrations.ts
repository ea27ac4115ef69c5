import { join } from 'node:path';

import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { CustomResource, Duration } from 'aws-cdk-lib/core';
import { Provider } from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';

import type { IndexDefinition, IndexWait, RetiredIndex } from '../../config/tier-config';
import { databaseEnvironment } from '../database/database.contract';
import { secretDecryption } from '../secret-decryption';
import { TierFunction, type TierFunctionNetwork } from '../tier-function';
import { TierLogGroup } from '../tier-log-group';
import { indexProperties } from './index-properties';
import { coresForBuilds } from './index-workers';
import { indexesEnvironment, indexesProperties, indexesResourceType } from './indexes.contract';

export interface IndexMigrationsProps {
  readonly network: TierFunctionNetwork;
  /** The primary itself: a build outlives its session, which a transaction pooler does not allow. */
  readonly database: { readonly host: string; readonly port: number; readonly name: string };
  /** Of the role that builds; it has the rights of the tables' owner. */
  readonly secret: ISecret;
  /** Encrypts the secret, and the logs. */
  readonly encryptionKey: IKey;
  /** The primary's first, then the replicas'. */
  readonly instanceIdentifiers: readonly string[];
  readonly indexes: readonly IndexDefinition[];
  readonly retired: readonly RetiredIndex[];
  readonly tablesAtOnce: number;
  /** Cores of the primary: parallel workers help the builds until half of them build. */
  readonly vCpus: number;
  readonly wait: IndexWait;
  /** A dimension of the metrics. */
  readonly environmentName: string;
}

/**
 * Brings the indexes of the database to the list, without locking writers. Nothing may depend on it: a slow index must
 * not keep a pooler from being deployed, and a refused one must not roll it back.
 */
export class IndexMigrations extends Construct {
  constructor(
    scope: Construct,
    id: string,
    private readonly props: IndexMigrationsProps,
  ) {
    super(scope, id);
    const { database, encryptionKey, indexes, retired, tablesAtOnce, wait } = props;
    const logGroup = new TierLogGroup(this, 'ProviderLogs', { encryptionKey });
    const provider = new Provider(this, 'Provider', {
      onEventHandler: this.function('OnEvent', 'onEvent', 'judges the index catalogue and starts the first builds'),
      isCompleteHandler: this.function('IsComplete', 'isComplete', 'goes on with index builds while a deploy waits'),
      queryInterval: Duration.seconds(15),
      // The longest that CloudFormation waits. https://github.com/aws/aws-cdk/issues/24974
      totalTimeout: Duration.hours(1),
      logGroup,
    });
    new CustomResource(this, 'Resource', {
      resourceType: indexesResourceType,
      serviceToken: provider.serviceToken,
      serviceTimeout: Duration.hours(1),
      properties: {
        [indexesProperties.wait]: wait,
        [indexesProperties.tablesAtOnce]: `${tablesAtOnce}`,
        [indexesProperties.database]: `${database.host}:${database.port}/${database.name}`,
        ...indexProperties(indexes, retired),
      },
    });
    new Rule(this, 'Schedule', {
      description: 'goes on with index builds and starts those whose table has come to be',
      schedule: Schedule.rate(Duration.minutes(5)),
      targets: [new LambdaFunction(this.function('Tick', 'tick', 'goes on with index builds'), { retryAttempts: 0 })],
    });
  }

  private function(id: string, handler: string, description: string): TierFunction {
    const { network, database, secret, encryptionKey, instanceIdentifiers, environmentName, vCpus, tablesAtOnce } = this.props;
    const tierFunction = new TierFunction(this, id, {
      entry: join(__dirname, 'indexes.lambda.ts'),
      handler,
      description,
      timeout: Duration.minutes(14),
      network,
      encryptionKey,
      environment: {
        [databaseEnvironment.host]: database.host,
        [databaseEnvironment.port]: `${database.port}`,
        [databaseEnvironment.name]: database.name,
        [databaseEnvironment.secretArn]: secret.secretArn,
        [indexesEnvironment.instanceIdentifiers]: instanceIdentifiers.join(','),
        [indexesEnvironment.coresForBuilds]: `${coresForBuilds(vCpus, tablesAtOnce)}`,
        [indexesEnvironment.environmentName]: environmentName,
      },
    });
    secret.grantRead(tierFunction);
    tierFunction.addToRolePolicy(secretDecryption(this, encryptionKey));
    // Describing instances cannot be restricted to some of them.
    tierFunction.addToRolePolicy(new PolicyStatement({ actions: ['rds:DescribeDBInstances'], resources: ['*'] }));
    return tierFunction;
  }
}
