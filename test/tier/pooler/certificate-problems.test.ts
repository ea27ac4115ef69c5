import { environments } from '../../../lib/config/environments';
import { resolveConfig } from '../../../lib/config/resolve-config';
import type { CertificateSecretConfig } from '../../../lib/config/tier-config';
import { configProblems } from '../../../lib/config/validate-config';
import { CertificateAuthority } from '../../../lib/rehearsal/engines/certificate-authority';

let good: CertificateSecretConfig;
beforeAll(async () => {
  const { certificatePem: authorities } = await CertificateAuthority.create('the team');
  good = { secret: 'bookedbarber/pooler', hostName: 'pooler.bookedbarber.internal', authorities };
});

function problemsOf(change: Partial<CertificateSecretConfig>): readonly string[] {
  const pooler = { ...environments.production.pooler, certificateSecret: { ...good, ...change } };
  return configProblems(resolveConfig('production', { ...environments.production, pooler })).map(({ field, message }) => `${field}: ${message}`);
}

describe('the secret of a certificate', () => {
  it.each<[string, Partial<CertificateSecretConfig>]>([
    ['by its name', {}],
    ['by its ARN', { secret: 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:pooler-a1B2c3' }],
    ['with fields and a key of its own', { certificateField: 'tls.crt', privateKeyField: 'tls.key', encryptionKeyArn: 'arn:aws:kms:eu-central-1:123456789012:key/0a1b2c3d-4e5f' }],
  ])('is accepted %s', (_title, change) => {
    expect(problemsOf(change)).toEqual([]);
  });

  it.each<[string, Partial<CertificateSecretConfig>, string]>([
    ['a name that no secret can have', { secret: 'a secret' }, 'secret: "a secret" is neither the name of a secret nor a complete ARN with its six last characters'],
    ['an ARN that is cut off', { secret: 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:pooler' }, 'secret: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:pooler" is neither the name of a secret nor a complete ARN with its six last characters'],
    ['a name that ends like an ARN', { secret: 'pooler-server' }, 'secret: "pooler-server" ends like an ARN, with a hyphen and six characters, and ECS would not find it; give the secret\'s complete ARN'],
    ['a host that is none', { hostName: 'Pooler' }, 'hostName: "Pooler" is not the full name of a host in lower case, for example "pooler.bookedbarber.internal"'],
    ['a field with a colon', { certificateField: 'a:b' }, 'certificateField: "a:b" cannot be a field of the secret; use letters, digits and hyphens'],
    ['one field for both', { privateKeyField: 'certificate' }, 'privateKeyField: "certificate" is the certificate\'s field too; name the one that holds the key'],
    ['an alias instead of a key', { encryptionKeyArn: 'alias/mine' }, 'encryptionKeyArn: "alias/mine" is not the ARN of a KMS key, like "arn:aws:kms:eu-central-1:123456789012:key/…"'],
    ['authorities that are none', { authorities: 'ca.pem' }, 'authorities: it holds no certificate; give that of the authority in PEM, "-----BEGIN CERTIFICATE-----…"'],
    ['an authority that cannot be read', { authorities: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' }, 'authorities: certificate 1 of 1 cannot be read; give it in PEM'],
    ['a private key to publish', { authorities: '-----BEGIN PRIVATE KEY-----' }, 'authorities: it holds a private key, which would be published; give certificates only'],
    ['more than a parameter holds', { authorities: 'x'.repeat(4097) }, "authorities: 4097 characters are more than the 4096 of an SSM parameter; leave out all but the root that signs the pooler's certificate"],
  ])('is refused with %s', (_title, change, problem) => {
    expect(problemsOf(change)).toEqual([`pooler.certificateSecret.${problem}`]);
  });
});
