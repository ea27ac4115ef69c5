import type { EndpointName } from '../../tier/endpoints/endpoints.contract';
import type { Ssm } from '../aws/ssm';
import type { ResourceMaker } from './deployment';

/** What the tier publishes in SSM, which is where applications look. */
export class PublishedParameters {
  private readonly values = new Map<string, string>();

  constructor(private readonly ssm: Ssm) {}

  readonly maker: ResourceMaker = {
    fidelity: 'imitated',
    make: ({ properties }) => {
      const { Name, Value } = properties as { Name: string; Value: string };
      this.values.set(Name, Value);
      this.ssm.set(Name, Value);
      return { ref: Name, attributes: { Value } };
    },
  };

  /** @throws Error if the template does not publish it */
  value(name: EndpointName): string {
    for (const [path, value] of this.values) if (path.endsWith(`/${name}`)) return value;
    throw new Error(`the template publishes no SSM parameter …/${name}`);
  }
}
