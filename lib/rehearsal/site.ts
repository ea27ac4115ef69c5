import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { AwsEndpoint } from './aws/aws-endpoint';
import type { LambdaSurroundings } from './aws/lambda-function';
import { CertificateAuthority } from './engines/certificate-authority';
import { LoopbackAddresses } from './network/loopback-addresses';
import { Resolver } from './network/resolver';
import type { Teardown } from './teardown';

/** What stands in for a region: addresses, names, certificates and AWS's APIs, all on loopback. */
export interface Site {
  readonly addresses: LoopbackAddresses;
  readonly resolver: Resolver;
  readonly authority: CertificateAuthority;
  readonly aws: AwsEndpoint;
  readonly teardown: Teardown;
  /** For files of this rehearsal; goes with it. */
  readonly directory: string;
  /** The certificate of the authority, as a file. */
  readonly authorityFile: string;
  /** Names PgBouncer's DNS server. */
  readonly resolvConfFile: string;
  /** Asks the same server for others. */
  readonly lookupFile: string;
  readonly surroundings: LambdaSurroundings;
  /** What functions logged, as CloudWatch would have it. */
  readonly functionLog: readonly string[];
}

const dnsPort = 5353;
const awsPort = 8443;

/** Sets a site up; everything it starts is in the teardown before this returns. */
export async function openSite(teardown: Teardown): Promise<Site> {
  const directory = await mkdtemp(join(tmpdir(), 'rehearsal-'));
  teardown.defer('files', () => rm(directory, { recursive: true, force: true }));
  // Servers run as an unprivileged user, who must find their files here.
  await chmod(directory, 0o755);
  const addresses = await LoopbackAddresses.reserve();
  teardown.defer('addresses', () => addresses.release());
  const resolver = await Resolver.start(addresses.next(), dnsPort);
  teardown.defer('DNS', () => resolver.stop());
  const aws = await AwsEndpoint.start(addresses.next(), awsPort);
  teardown.defer('AWS endpoint', () => aws.stop());

  const authority = await CertificateAuthority.create('rehearsal');
  const authorityFile = join(directory, 'ca.pem');
  await writeFile(authorityFile, authority.certificatePem);
  const resolvConfFile = join(directory, 'resolv.conf');
  await writeFile(resolvConfFile, resolver.resolvConf);
  const lookupFile = join(directory, 'lookup');
  await writeFile(lookupFile, resolver.lookupProgram, { mode: 0o755 });
  const functionLog: string[] = [];
  const surroundings = { names: resolver.names, runtimeEnvironment: aws.environment, authorityFile, onLog: (_function: string, line: string) => void functionLog.push(line) };
  return { functionLog, addresses, resolver, authority, aws, teardown, directory, authorityFile, resolvConfFile, lookupFile, surroundings };
}
