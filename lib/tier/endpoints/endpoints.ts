import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { CfnOutput } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';

import type { EndpointName } from './endpoints.contract';

export interface EndpointsProps {
  /** First part of the parameters' names, for example `/bookedbarber/production`. */
  readonly parameterPrefix: string;
  /** None of the values is a secret. */
  readonly values: Readonly<Record<EndpointName, EndpointValue>>;
}

export interface EndpointValue {
  readonly value: string;
  /** One sentence for whoever finds the parameter in the console. */
  readonly description: string;
}

/** Publishes how to reach the tier twice: as stack outputs for people, as SSM parameters for applications. */
export class Endpoints extends Construct {
  constructor(scope: Construct, id: string, props: EndpointsProps) {
    super(scope, id);
    for (const [name, { value, description }] of Object.entries(props.values)) {
      const logicalId = name.toLowerCase().replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
      new StringParameter(this, logicalId, { parameterName: `${props.parameterPrefix}/${name}`, stringValue: value, description });
      new CfnOutput(this, `${logicalId}Output`, { value, description }).overrideLogicalId(logicalId);
    }
  }
}
