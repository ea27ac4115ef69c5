import { randomUUID } from 'node:crypto';

import { AwsError, type AwsService } from './aws-endpoint';

interface StoredSecret {
  readonly versions: { readonly id: string; readonly text: string; stages: string[] }[];
}

interface Request {
  readonly SecretId: string;
  readonly SecretString?: string;
  readonly ClientRequestToken?: string;
  readonly VersionStage?: string;
  readonly VersionId?: string;
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
    this.secrets.set(arn, { versions: text === undefined ? [] : [{ id: randomUUID(), text, stages: ['AWSCURRENT'] }] });
  }

  /** The current value. */
  text(arn: string): string {
    return this.version({ SecretId: arn }).text;
  }

  /** The current value, read as an object of texts. */
  json(arn: string): Record<string, string> {
    return JSON.parse(this.text(arn)) as Record<string, string>;
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
      const { id, text, stages } = this.version(request);
      return { ARN: request.SecretId, Name: request.SecretId, SecretString: text, VersionId: id, VersionStages: stages };
    },
    PutSecretValue: (request) => this.putSecretValue(request),
    DescribeSecret: ({ SecretId }) => ({
      ARN: SecretId,
      Name: SecretId,
      VersionIdsToStages: Object.fromEntries(this.secret(SecretId).versions.map(({ id, stages }) => [id, stages])),
    }),
  };

  private putSecretValue({ SecretId, SecretString, ClientRequestToken }: Request): object {
    const { versions } = this.secret(SecretId);
    const id = ClientRequestToken ?? randomUUID();
    const previous = versions.find(({ stages }) => stages.includes('AWSCURRENT'));
    for (const version of versions) version.stages = version.stages.filter((stage) => stage !== 'AWSCURRENT' && stage !== 'AWSPREVIOUS');
    previous?.stages.push('AWSPREVIOUS');
    versions.push({ id, text: SecretString ?? '', stages: ['AWSCURRENT'] });
    return { ARN: SecretId, Name: SecretId, VersionId: id, VersionStages: ['AWSCURRENT'] };
  }

  private version({ SecretId, VersionId, VersionStage = 'AWSCURRENT' }: Request) {
    const version = this.secret(SecretId).versions.find(({ id, stages }) => (VersionId ? id === VersionId : stages.includes(VersionStage)));
    if (!version) throw notFound(`Secrets Manager can't find the specified secret value for staging label: ${VersionStage}`);
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
