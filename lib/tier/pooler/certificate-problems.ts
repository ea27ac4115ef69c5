import { X509Certificate } from 'node:crypto';

import type { CertificateSecretConfig } from '../../config/tier-config';

type Problem = readonly [field: keyof CertificateSecretConfig, message: string];

/** A standard SSM parameter holds no more. https://docs.aws.amazon.com/general/latest/gr/ssm.html */
const longestParameter = 4096;

const secretName = /^[A-Za-z0-9/_+=.@-]{1,512}$/;
const completeArn = /^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@-]{1,512}-[A-Za-z0-9]{6}$/;
const keyArn = /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/;
const dnsName = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/;

/** What is wrong with a certificate's configuration, as far as it can be told without the secret. */
export function certificateProblems(config: CertificateSecretConfig): readonly Problem[] {
  const { secret, hostName, authorities, certificateField = 'certificate', privateKeyField = 'privateKey', encryptionKeyArn } = config;
  const problems: Problem[] = [];
  const arn = secret.startsWith('arn:');
  if (arn ? !completeArn.test(secret) : !secretName.test(secret)) {
    problems.push(['secret', `"${secret}" is neither the name of a secret nor a complete ARN with its six last characters`]);
  } else if (!arn && /-[A-Za-z0-9]{6}$/.test(secret)) {
    // https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen
    problems.push(['secret', `"${secret}" ends like an ARN, with a hyphen and six characters, and ECS would not find it; give the secret's complete ARN`]);
  }
  if (!dnsName.test(hostName)) {
    problems.push(['hostName', `"${hostName}" is not the full name of a host in lower case, for example "pooler.bookedbarber.internal"`]);
  }
  for (const [name, field] of [['certificateField', certificateField], ['privateKeyField', privateKeyField]] as const) {
    // A colon would end it in the task definition.
    if (!/^[^:\s]+$/.test(field)) problems.push([name, `"${field}" cannot be a field of the secret; use letters, digits and hyphens`]);
  }
  if (certificateField === privateKeyField) {
    problems.push(['privateKeyField', `"${privateKeyField}" is the certificate's field too; name the one that holds the key`]);
  }
  if (encryptionKeyArn !== undefined && !keyArn.test(encryptionKeyArn)) {
    problems.push(['encryptionKeyArn', `"${encryptionKeyArn}" is not the ARN of a KMS key, like "arn:aws:kms:eu-central-1:123456789012:key/…"`]);
  }
  const authorityProblem = problemOfAuthorities(authorities);
  if (authorityProblem !== undefined) problems.push(['authorities', authorityProblem]);
  return problems;
}

function problemOfAuthorities(authorities: string): string | undefined {
  if (authorities.includes('PRIVATE KEY')) return 'it holds a private key, which would be published; give certificates only';
  if (authorities.length > longestParameter) {
    return `${authorities.length} characters are more than the ${longestParameter} of an SSM parameter; leave out all but the root that signs the pooler's certificate`;
  }
  const certificates = authorities.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (certificates.length === 0) return 'it holds no certificate; give that of the authority in PEM, "-----BEGIN CERTIFICATE-----…"';
  const unread = certificates.findIndex((certificate) => !isCertificate(certificate));
  return unread < 0 ? undefined : `certificate ${unread + 1} of ${certificates.length} cannot be read; give it in PEM`;
}

function isCertificate(pem: string): boolean {
  try {
    new X509Certificate(pem);
    return true;
  } catch {
    return false;
  }
}
