import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { CertificateAuthority } from '../../../lib/rehearsal/engines/certificate-authority';
import { run } from '../../../lib/rehearsal/engines/child';
import { debianTools } from '../../../lib/rehearsal/engines/debian-tools';

let authority: CertificateAuthority;
let certificatePem: string;
let directory: string;

beforeAll(async () => {
  authority = await CertificateAuthority.create('authority of the test');
  ({ certificatePem } = await authority.issue(['primary.internal', 'alias.internal'], ['127.31.0.1']));
  directory = await mkdtemp(join(tmpdir(), 'certificates-'));
  await writeFile(join(directory, 'server.pem'), certificatePem);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function verify(signer: CertificateAuthority, ...options: string[]): Promise<string> {
  const { openssl } = await debianTools();
  await writeFile(join(directory, 'ca.pem'), signer.certificatePem);
  const args = [
    ...openssl.args,
    'verify',
    '-x509_strict',
    '-purpose',
    'sslserver',
    ...options,
    '-CAfile',
    join(directory, 'ca.pem'),
    join(directory, 'server.pem'),
  ];
  return (await run({ name: 'openssl', command: openssl.command, args })).stdout;
}

describe('a certificate', () => {
  it('is accepted by a strict client under each of its names and addresses', async () => {
    expect(await verify(authority, '-verify_hostname', 'primary.internal')).toContain('OK');
    expect(await verify(authority, '-verify_hostname', 'alias.internal')).toContain('OK');
    expect(await verify(authority, '-verify_ip', '127.31.0.1')).toContain('OK');
  });

  it('is refused under another name or address', async () => {
    await expect(verify(authority, '-verify_hostname', 'other.internal')).rejects.toThrow('hostname mismatch');
    await expect(verify(authority, '-verify_ip', '127.31.0.2')).rejects.toThrow('IP address mismatch');
  });

  it('is refused by who trusts another authority, even one of the same name', async () => {
    await expect(verify(await CertificateAuthority.create('authority of the test'))).rejects.toThrow(
      'unable to get local issuer certificate',
    );
  });

  it('cannot sign others', () => {
    expect(new X509Certificate(authority.certificatePem).ca).toBe(true);
    expect(new X509Certificate(certificatePem).ca).toBe(false);
  });
});
