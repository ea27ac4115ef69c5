import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Stack } from 'aws-cdk-lib/core';
import type { IConstruct } from 'constructs';

/**
 * Lets a role use a key through Secrets Manager. A grant on the secret would write that into the key's own policy, and
 * leaves it out for an imported key, whose policy is another stack's.
 *
 * @param actions `kms:Decrypt` to read secrets; to write them, `kms:GenerateDataKey` as well
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/services-secrets-manager.html
 */
export function secretDecryption(scope: IConstruct, key: IKey, actions: readonly string[] = ['kms:Decrypt']): PolicyStatement {
  return new PolicyStatement({
    actions: [...actions],
    resources: [key.keyArn],
    conditions: { StringEquals: { 'kms:ViaService': `secretsmanager.${Stack.of(scope).region}.amazonaws.com` } },
  });
}
