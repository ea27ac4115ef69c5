import { verifiedPoolerNames } from '../../tier/endpoints/endpoints.contract';
import type { Site } from '../site';
import type { ResourceMaker } from './deployment';

/**
 * The team's secret is not here, and the certificate that stands in for it is signed by this site: applications are told
 * of the site's authority.
 */
export function trustingSite(maker: ResourceMaker, { authority }: Pick<Site, 'authority'>): ResourceMaker {
  return {
    ...maker,
    make: (request) => {
      const { properties } = request;
      const isAuthorities = String(properties.Name).endsWith(`/${verifiedPoolerNames.authorities}`);
      return maker.make(isAuthorities ? { ...request, properties: { ...properties, Value: authority.certificatePem } } : request);
    },
  };
}
