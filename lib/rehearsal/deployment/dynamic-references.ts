/** Reads one key of a secret's JSON. */
export type SecretReader = (secretArn: string, jsonKey: string) => string;

const secretReference = /\{\{resolve:secretsmanager:(arn:[^}]*?:secret:[^:}]+):SecretString:([^:}]*):[^:}]*:[^:}]*\}\}/g;

/**
 * Replaces `{{resolve:secretsmanager:…}}` as CloudFormation does when it makes a resource.
 *
 * @throws Error for a dynamic reference of another kind
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html
 */
export function resolveDynamicReferences(text: string, readSecret: SecretReader): string {
  const resolved = text.replace(secretReference, (_, secretArn: string, jsonKey: string) => readSecret(secretArn, jsonKey));
  const unknown = /\{\{resolve:[a-z-]+/.exec(resolved);
  if (unknown) throw new Error(`a dynamic reference ${unknown[0]}:…}} is not known to the rehearsal`);
  return resolved;
}
