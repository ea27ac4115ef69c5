import type { SecretsManager } from '../aws/secrets-manager';

/**
 * What a container's `ValueFrom` names: a whole secret, or one field of its JSON as `arn:field::`.
 *
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html
 */
export function parseValueFrom(valueFrom: string): { readonly arn: string; readonly field?: string } {
  const parts = valueFrom.split(':');
  return { arn: parts.slice(0, 7).join(':'), field: parts[7] || undefined };
}

/** The value with which ECS would start the container. @throws Error if the secret has no such field: ECS starts no task then */
export function readContainerSecret(secrets: SecretsManager, valueFrom: string): string {
  const { arn, field } = parseValueFrom(valueFrom);
  return field === undefined ? secrets.text(arn) : secrets.valueOfKey(arn, field);
}
