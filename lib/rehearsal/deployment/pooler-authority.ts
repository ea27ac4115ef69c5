import { verifiedPoolerNames } from '../../tier/endpoints/endpoints.contract';
import { smokeCheckVerification } from '../../tier/smoke-check/smoke-check.contract';
import type { Site } from '../site';
import type { ResourceMaker } from './deployment';

/**
 * The team's secret is not here, and the certificate that stands in for it is signed by this site: whoever is told by
 * which authorities to verify the pooler is told of the site's.
 */
export function trustingSite(maker: ResourceMaker, { authority }: Pick<Site, 'authority'>): ResourceMaker {
  return {
    ...maker,
    make: (request) => {
      const property = propertyWithAuthorities(request.properties);
      return maker.make(property === undefined ? request : { ...request, properties: { ...request.properties, [property]: authority.certificatePem } });
    },
  };
}

function propertyWithAuthorities(properties: Readonly<Record<string, unknown>>): string | undefined {
  if (String(properties.Name).endsWith(`/${verifiedPoolerNames.authorities}`)) return 'Value';
  return smokeCheckVerification.authorities in properties ? smokeCheckVerification.authorities : undefined;
}
