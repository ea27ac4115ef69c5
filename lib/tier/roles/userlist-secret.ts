import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';

/** The value of the userlist secret that tasks are given at their start. */
export interface StoredUserlist {
  readonly text: string;
  /** Undefined as long as the secret has no value. */
  readonly versionId?: string;
  /** When that version was made. */
  readonly createdAt?: Date;
}

/** The userlist as it is; empty before the first bootstrap. */
export async function readUserlist(secrets: SecretsManagerClient, secretArn: string): Promise<StoredUserlist> {
  try {
    const {
      SecretString: text,
      VersionId: versionId,
      CreatedDate: createdAt,
    } = await secrets.send(new GetSecretValueCommand({ SecretId: secretArn }));
    return { text: text ?? '', versionId, createdAt };
  } catch (error) {
    // The answer both for a secret without a value and for one that does not exist; writing tells the latter.
    if (error instanceof ResourceNotFoundException) return { text: '' };
    throw error;
  }
}

/**
 * Writes the userlist if it changed.
 *
 * @returns the version that holds it
 */
export async function storeUserlist(
  secrets: SecretsManagerClient,
  secretArn: string,
  stored: StoredUserlist,
  text: string,
): Promise<string> {
  if (stored.versionId !== undefined && stored.text === text) return stored.versionId;
  const { VersionId: versionId } = await secrets.send(
    new PutSecretValueCommand({ SecretId: secretArn, SecretString: text }),
  );
  return versionId!;
}
