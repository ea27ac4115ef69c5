import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  ResourceNotFoundException,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';

import { parseCredentials } from '../database/connect';
import { type RotationStage, rotationStage, type SecretValue } from './rotation-turn';

/** A secret during its rotation: the version that is current, and the one that is to follow. */
export class RotationSecret {
  constructor(
    private readonly secrets: SecretsManagerClient,
    private readonly arn: string,
    /** The version that is to follow: Secrets Manager announces it, empty, before the first step. */
    private readonly version: string,
  ) {}

  /** @throws Error if the version is not the one that is being made */
  async stage(): Promise<RotationStage> {
    return rotationStage(await this.stages(), this.version);
  }

  /** @throws Error if it has no user or no password */
  async current(): Promise<SecretValue> {
    const { SecretString: text } = await this.secrets.send(new GetSecretValueCommand({ SecretId: this.arn }));
    return parseCredentials(text, this.arn);
  }

  /** The value of the version that is to follow; undefined as long as it has none. */
  async next(): Promise<SecretValue | undefined> {
    const of = { SecretId: this.arn, VersionId: this.version, VersionStage: 'AWSPENDING' };
    try {
      const { SecretString: text } = await this.secrets.send(new GetSecretValueCommand(of));
      return parseCredentials(text, `${this.arn}, AWSPENDING,`);
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  }

  /** Gives the version that is to follow its value, unless it has got one meanwhile. */
  async announce(value: SecretValue): Promise<void> {
    try {
      await this.secrets.send(new PutSecretValueCommand({ SecretId: this.arn, ClientRequestToken: this.version, SecretString: JSON.stringify(value), VersionStages: ['AWSPENDING'] }));
    } catch (error) {
      // The same step, running twice: what the other one has put there is as good.
      if (!(error instanceof ResourceExistsException)) throw error;
    }
  }

  /** Makes the version current: from then on clients read it. */
  async makeCurrent(): Promise<void> {
    const [current] = Object.entries(await this.stages()).find(([, labels]) => labels.includes('AWSCURRENT')) ?? [];
    if (current === this.version) return;
    await this.secrets.send(new UpdateSecretVersionStageCommand({ SecretId: this.arn, VersionStage: 'AWSCURRENT', MoveToVersionId: this.version, RemoveFromVersionId: current }));
  }

  private async stages(): Promise<Readonly<Record<string, readonly string[]>>> {
    const { VersionIdsToStages: stages = {} } = await this.secrets.send(new DescribeSecretCommand({ SecretId: this.arn }));
    return stages;
  }
}
