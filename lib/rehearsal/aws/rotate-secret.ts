import type { SecretsManager } from './secrets-manager';

/** What Secrets Manager tells a rotation function. */
export interface RotationEvent {
  readonly Step: 'createSecret' | 'setSecret' | 'testSecret' | 'finishSecret';
  readonly SecretId: string;
  /** The version that is to become current. */
  readonly ClientRequestToken: string;
}

export const rotationSteps = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;

/**
 * Rotates a secret as Secrets Manager does: announces a version without a value, then calls the function once for each
 * step. Nothing is tried again here.
 *
 * @param version one that exists already, to go on with it. @default - a new one
 * @throws Error if a step fails
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-lambda-function-overview.html
 */
export async function rotateSecret(secrets: SecretsManager, arn: string, invoke: (event: RotationEvent) => Promise<unknown>, version?: string): Promise<void> {
  const ClientRequestToken = secrets.announce(arn, version);
  for (const Step of rotationSteps) await invoke({ Step, SecretId: arn, ClientRequestToken });
}
