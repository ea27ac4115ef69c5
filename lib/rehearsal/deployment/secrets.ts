import { generateSecretString, type GenerateSecretString } from '../aws/generate-secret-string';
import type { Site } from '../site';
import type { ResourceMaker } from './deployment';

interface SecretProperties {
  readonly GenerateSecretString?: GenerateSecretString;
  readonly SecretString?: string;
}

/** Secrets of the template, with values as Secrets Manager would generate them. */
export function secretMaker(site: Site): ResourceMaker {
  return {
    fidelity: 'imitated',
    make: ({ logicalId, properties }) => {
      const { GenerateSecretString: generate, SecretString: text } = properties as SecretProperties;
      const arn = `arn:aws:secretsmanager:eu-central-1:000000000000:secret:${logicalId}-rehearse`;
      site.aws.secrets.create(arn, generate ? generateSecretString(generate) : text);
      return { ref: arn, attributes: { Id: arn } };
    },
  };
}

/** Adds where the database is to the master's secret. https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secrettargetattachment.html */
export function secretAttachmentMaker(site: Site): ResourceMaker {
  return {
    fidelity: 'imitated',
    make: ({ properties }) => {
      const { SecretId: arn, TargetId: identifier } = properties as { SecretId: string; TargetId: string };
      site.aws.secrets.put(arn, JSON.stringify({ ...site.aws.secrets.json(arn), engine: 'postgres', dbInstanceIdentifier: identifier }));
      return { ref: arn, attributes: { Id: arn } };
    },
  };
}
