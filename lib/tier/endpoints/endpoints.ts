import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { CfnOutput } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';

import { type EndpointName, verifiedPoolerNames } from './endpoints.contract';

export interface EndpointsProps {
  /** First part of the parameters' names, for example `/bookedbarber/production`. */
  readonly parameterPrefix: string;
  /** None of the values is a secret. */
  readonly values: Readonly<Record<EndpointName, EndpointValue>>;
  /** What clients need to verify the pooler. @default - they cannot */
  readonly verifiedPooler?: VerifiedPooler;
}

export interface EndpointValue {
  readonly value: string;
  /** One sentence for whoever finds the parameter in the console. */
  readonly description: string;
}

export interface VerifiedPooler {
  /** PEM. */
  readonly authorities: string;
  /** The load balancer's own name. */
  readonly balancerHost: string;
}

/** Publishes how to reach the tier twice: as stack outputs for people, as SSM parameters for applications. */
export class Endpoints extends Construct {
  constructor(scope: Construct, id: string, { parameterPrefix, values, verifiedPooler }: EndpointsProps) {
    super(scope, id);
    for (const [name, { value, description }] of Object.entries({ ...values, ...(verifiedPooler && ofVerifiedPooler(verifiedPooler)) })) {
      const logicalId = name.toLowerCase().replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
      new StringParameter(this, logicalId, { parameterName: `${parameterPrefix}/${name}`, stringValue: value, description });
      // An output holds 1 KiB, which authorities exceed.
      if (name === verifiedPoolerNames.authorities) continue;
      new CfnOutput(this, `${logicalId}Output`, { value, description }).overrideLogicalId(logicalId);
    }
  }
}

function ofVerifiedPooler({ authorities, balancerHost }: VerifiedPooler): Readonly<Record<string, EndpointValue>> {
  return {
    [verifiedPoolerNames.authorities]: { value: authorities, description: 'Authorities by which clients verify the pooler, PEM' },
    [verifiedPoolerNames.balancerHost]: { value: balancerHost, description: "The load balancer's own name, for the DNS record of the name in the URLs" },
  };
}
