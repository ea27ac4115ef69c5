import { Secret as EcsSecret } from 'aws-cdk-lib/aws-ecs';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';

import type { CertificateSecretConfig } from '../../config/tier-config';
import { poolerEnvironment } from './pooler.contract';

/** The team's own secret with the pooler's certificate, as tasks get it. */
export class CertificateSecret extends Construct {
  /** The container's variables. ECS lets the execution role read the secret, not decrypt it. */
  readonly variables: Readonly<Record<string, EcsSecret>>;
  /** Set if the secret has a key of its own. */
  readonly encryptionKey?: IKey;

  constructor(scope: Construct, id: string, config: CertificateSecretConfig) {
    super(scope, id);
    const { secret: nameOrArn, certificateField = 'certificate', privateKeyField = 'privateKey', encryptionKeyArn } = config;
    const secret = nameOrArn.startsWith('arn:')
      ? Secret.fromSecretCompleteArn(this, 'Secret', nameOrArn)
      : Secret.fromSecretNameV2(this, 'Secret', nameOrArn);
    this.encryptionKey = encryptionKeyArn === undefined ? undefined : Key.fromKeyArn(this, 'Key', encryptionKeyArn);
    this.variables = {
      [poolerEnvironment.clientTlsCertificate]: EcsSecret.fromSecretsManager(secret, certificateField),
      [poolerEnvironment.clientTlsKey]: EcsSecret.fromSecretsManager(secret, privateKeyField),
    };
  }
}
