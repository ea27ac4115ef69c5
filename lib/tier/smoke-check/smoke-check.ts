import { join } from 'node:path';

import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { CustomResource, Duration } from 'aws-cdk-lib/core';
import { Provider } from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';

import { secretDecryption } from '../secret-decryption';
import { TierFunction, type TierFunctionNetwork, type TierFunctionProps } from '../tier-function';
import { TierLogGroup } from '../tier-log-group';
import { smokeCheckEnvironment, smokeCheckProperties, smokeCheckResourceType } from './smoke-check.contract';

export interface SmokeCheckProps extends Pick<TierFunctionProps, 'poolerVerification'> {
  readonly network: TierFunctionNetwork;
  readonly pooler: { readonly host: string; readonly port: number; readonly database: string; readonly readOnlyDatabase: string };
  /** What an application logs in with. */
  readonly secret: ISecret;
  /** Encrypts the secret, and the logs. */
  readonly encryptionKey: IKey;
  readonly instanceIdentifiers: readonly string[];
  /** What makes the check run again when it changes. */
  readonly proves: Readonly<Record<keyof typeof smokeCheckProperties, string>>;
}

/** A deploy is green only after a write and a read have travelled load balancer, pooler and database. */
export class SmokeCheck extends Construct {
  /** The check itself: it must depend on whatever it is to prove. */
  readonly proof: CustomResource;

  constructor(scope: Construct, id: string, props: SmokeCheckProps) {
    super(scope, id);
    const { pooler, secret, encryptionKey, instanceIdentifiers, poolerVerification, proves } = props;
    const check = new TierFunction(this, 'Check', {
      entry: join(__dirname, 'smoke-check.lambda.ts'),
      description: 'writes and reads through the pooler at the end of a deploy',
      timeout: Duration.minutes(4),
      network: props.network,
      encryptionKey,
      poolerVerification,
      environment: {
        [smokeCheckEnvironment.poolerHost]: pooler.host,
        [smokeCheckEnvironment.poolerPort]: `${pooler.port}`,
        [smokeCheckEnvironment.database]: pooler.database,
        [smokeCheckEnvironment.readOnlyDatabase]: pooler.readOnlyDatabase,
        [smokeCheckEnvironment.secretArn]: secret.secretArn,
        [smokeCheckEnvironment.instanceIdentifiers]: instanceIdentifiers.join(','),
      },
    });
    secret.grantRead(check);
    check.addToRolePolicy(secretDecryption(this, encryptionKey));
    // Describing instances cannot be restricted to some of them.
    check.addToRolePolicy(new PolicyStatement({ actions: ['rds:DescribeDBInstances'], resources: ['*'] }));
    const provider = new Provider(this, 'Provider', {
      onEventHandler: check,
      logGroup: new TierLogGroup(this, 'ProviderLogs', { encryptionKey }),
    });
    this.proof = new CustomResource(this, 'Resource', {
      resourceType: smokeCheckResourceType,
      serviceToken: provider.serviceToken,
      serviceTimeout: Duration.minutes(10),
      properties: {
        [smokeCheckProperties.taskDefinition]: proves.taskDefinition,
        [smokeCheckProperties.configuration]: proves.configuration,
        [smokeCheckProperties.instances]: proves.instances,
      },
    });
  }
}
