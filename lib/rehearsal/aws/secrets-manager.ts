import { randomUUID } from 'node:crypto';

import { AwsError, type AwsService } from './aws-endpoint';

interface Version {
  readonly id: string;
  /** Undefined in one that a rotation has only announced. */
  text?: string;
  stages: string[];
  readonly createdAt: Date;
}

interface StoredSecret {
  readonly versions: Version[];
}

interface Request {
  readonly SecretId: string;
  readonly SecretString?: string;
  readonly ClientRequestToken?: string;
  readonly VersionStage?: string;
  readonly VersionStages?: readonly string[];
  readonly VersionId?: string;
  readonly MoveToVersionId?: string;
  readonly RemoveFromVersionId?: string;
}

/**
 * Secrets in memory, with the part of Secrets Manager's API that the tier's functions use.
 *
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/Welcome.html
 */
export class SecretsManager implements AwsService {
  private readonly secrets = new Map<string, StoredSecret>();

  /** @param text its first version; undefined makes a secret without a value */
  create(arn: string, text?: string): void {
    this.secrets.set(arn, { versions: text === undefined ? [] : [{ id: randomUUID(), text, stages: ['AWSCURRENT'], createdAt: new Date() }] });
  }

  /** Whether there is such a secret, with or without a value. */
  has(arn: string): boolean {
    return this.secrets.has(arn);
  }

  /** Announces a version without a value, as the start of a rotation does. @returns its id */
  announce(arn: string, id: string = randomUUID()): string {
    const secret = this.secret(arn);
    if (!secret.versions.some((version) => version.id === id)) secret.versions.push({ id, stages: [], createdAt: new Date() });
    attach(secret, 'AWSPENDING', id);
    return id;
  }

  /** Staging labels by version, as DescribeSecret tells them. */
  stages(arn: string): Readonly<Record<string, readonly string[]>> {
    return Object.fromEntries(this.secret(arn).versions.map(({ id, stages }) => [id, stages]));
  }

  /** The current value. */
  text(arn: string): string {
    return this.version({ SecretId: arn }).text!;
  }

  /** The current value, read as an object of texts. */
  json(arn: string): Record<string, string> {
    return JSON.parse(this.text(arn)) as Record<string, string>;
  }

  /** One key of the current value. @throws Error if it has no such key: ECS starts no task then, CloudFormation stops */
  valueOfKey(arn: string, key: string): string {
    const values = this.json(arn);
    const value = values[key];
    if (value === undefined) throw new Error(`the secret ${arn.split(':').at(-1)} has no JSON key "${key}"; it has ${Object.keys(values).join(', ')}`);
    return value;
  }

  /** Replaces the current value. */
  put(arn: string, text: string): void {
    this.putSecretValue({ SecretId: arn, SecretString: text });
  }

  handles(headers: Readonly<Record<string, string | undefined>>): boolean {
    return headers['x-amz-target']?.startsWith('secretsmanager.') ?? false;
  }

  answer(headers: Readonly<Record<string, string | undefined>>, body: string): { readonly action: string; readonly contentType: string; readonly body: string } {
    const action = headers['x-amz-target']!.slice('secretsmanager.'.length);
    const operation = this.operations[action];
    if (!operation) throw new AwsError(400, 'InvalidAction', `Secrets Manager's ${action} is not known to the rehearsal`);
    return { action, contentType: 'application/x-amz-json-1.1', body: JSON.stringify(operation(JSON.parse(body) as Request)) };
  }

  errorBody({ code, message }: AwsError): string {
    return JSON.stringify({ __type: code, Message: message });
  }

  private readonly operations: Readonly<Record<string, (request: Request) => object>> = {
    GetSecretValue: (request) => {
      const { id, text, stages, createdAt } = this.version(request);
      return { ARN: request.SecretId, Name: request.SecretId, SecretString: text, VersionId: id, VersionStages: stages, CreatedDate: createdAt.getTime() / 1000 };
    },
    PutSecretValue: (request) => this.putSecretValue(request),
    UpdateSecretVersionStage: (request) => this.updateSecretVersionStage(request),
    DescribeSecret: ({ SecretId }) => ({ ARN: SecretId, Name: SecretId, VersionIdsToStages: this.stages(SecretId) }),
  };

  /** The same call again answers the same; another value for the same version is refused. */
  private putSecretValue({ SecretId, SecretString, ClientRequestToken, VersionStages = ['AWSCURRENT'] }: Request): object {
    const secret = this.secret(SecretId);
    const id = ClientRequestToken ?? randomUUID();
    const known = secret.versions.find((version) => version.id === id);
    if (known?.text !== undefined && known.text !== SecretString) {
      throw new AwsError(400, 'ResourceExistsException', `A resource with the ID ${id} you requested already exists.`);
    }
    if (known) known.text = SecretString;
    else secret.versions.push({ id, text: SecretString, stages: [], createdAt: new Date() });
    for (const stage of VersionStages) attach(secret, stage, id);
    if (!secret.versions.some(({ stages }) => stages.includes('AWSCURRENT'))) attach(secret, 'AWSCURRENT', id);
    return { ARN: SecretId, Name: SecretId, VersionId: id, VersionStages };
  }

  private updateSecretVersionStage({ SecretId, VersionStage = '', MoveToVersionId, RemoveFromVersionId }: Request): object {
    const secret = this.secret(SecretId);
    const holder = secret.versions.find(({ stages }) => stages.includes(VersionStage));
    if (holder && holder.id !== MoveToVersionId && holder.id !== RemoveFromVersionId) {
      throw new AwsError(400, 'InvalidParameterException', `The parameter RemoveFromVersionId can't be empty. Staging label ${VersionStage} is currently attached to version ${holder.id}, so you must explicitly reference that version in RemoveFromVersionId.`);
    }
    if (MoveToVersionId === undefined) {
      if (holder) holder.stages = holder.stages.filter((stage) => stage !== VersionStage);
    } else if (!secret.versions.some(({ id }) => id === MoveToVersionId)) {
      throw notFound("Secrets Manager can't find the specified secret version.");
    } else attach(secret, VersionStage, MoveToVersionId);
    return { ARN: SecretId, Name: SecretId };
  }

  private version({ SecretId, VersionId, VersionStage }: Request): Version {
    const stage = VersionStage ?? (VersionId ? undefined : 'AWSCURRENT');
    const version = this.secret(SecretId).versions.find(({ id, stages }) => (VersionId === undefined || id === VersionId) && (stage === undefined || stages.includes(stage)));
    if (version?.text === undefined) throw notFound(`Secrets Manager can't find the specified secret value for ${stage ? `staging label: ${stage}` : `VersionId: ${VersionId}`}`);
    return version;
  }

  private secret(arn: string): StoredSecret {
    const secret = this.secrets.get(arn);
    if (!secret) throw notFound("Secrets Manager can't find the specified secret.");
    return secret;
  }
}

function notFound(message: string): AwsError {
  return new AwsError(400, 'ResourceNotFoundException', message);
}

/** A label is on one version at a time; the version that loses AWSCURRENT becomes AWSPREVIOUS. */
function attach({ versions }: StoredSecret, stage: string, id: string): void {
  const [from, to] = [versions.find(({ stages }) => stages.includes(stage)), versions.find((version) => version.id === id)!];
  if (from === to) return;
  if (from) from.stages = from.stages.filter((label) => label !== stage);
  to.stages = [...to.stages, stage];
  if (stage !== 'AWSCURRENT' || !from) return;
  for (const version of versions) version.stages = version.stages.filter((label) => label !== 'AWSPREVIOUS');
  from.stages = [...from.stages, 'AWSPREVIOUS'];
}
