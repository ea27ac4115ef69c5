import { poolerEnvironment } from '../../tier/pooler/pooler.contract';
import type { Site } from '../site';
import { parseValueFrom } from './container-secrets';
import type { ContainerDefinition } from './container-definition';

/**
 * Stands in for the secret with the team's own certificate, which is in no template: the same fields, with a certificate
 * of this site's authority for the name that the container is told. A container without one is left alone.
 */
export async function makeCertificateSecret(
  { Environment: variables = [], Secrets: references = [] }: Pick<ContainerDefinition, 'Environment' | 'Secrets'>,
  { authority, aws: { secrets } }: Pick<Site, 'authority'> & { readonly aws: Pick<Site['aws'], 'secrets'> },
): Promise<void> {
  const valueFrom = (variable: string): string | undefined => references.find(({ Name }) => Name === variable)?.ValueFrom;
  const [ofCertificate, ofKey] = [valueFrom(poolerEnvironment.clientTlsCertificate), valueFrom(poolerEnvironment.clientTlsKey)];
  if (ofCertificate === undefined || ofKey === undefined) return;
  const [certificate, key] = [parseValueFrom(ofCertificate), parseValueFrom(ofKey)];
  if (secrets.has(certificate.arn)) return;
  const hostName = variables.find(({ Name }) => Name === poolerEnvironment.clientTlsHost)?.Value ?? 'pooler';
  const { certificatePem, privateKeyPem } = await authority.issue([hostName], []);
  secrets.create(certificate.arn, JSON.stringify({ [certificate.field ?? '']: certificatePem, [key.field ?? '']: privateKeyPem }));
}
