import { join } from 'node:path';

import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Duration } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';

import { observerEnvironment } from './monitoring.contract';
import { ObserverFunction, type ObserverFunctionProps } from './observer-function';

export interface DiagnosisFunctionProps extends ObserverFunctionProps {
  /** RDS identifiers by the name of the instance. */
  readonly instanceIdentifiers: Readonly<Record<string, string>>;
}

/** Tells on demand what the tier looks like: `npm run diagnose` calls it. */
export class DiagnosisFunction extends ObserverFunction {
  constructor(scope: Construct, id: string, props: DiagnosisFunctionProps) {
    super(scope, id, props, {
      entry: join(__dirname, 'diagnosis.lambda.ts'),
      description: 'tells on demand what the database tier looks like',
      timeout: Duration.seconds(60),
    });
    this.addEnvironment(observerEnvironment.instanceIdentifiers, Object.entries(props.instanceIdentifiers).map(([name, identifier]) => `${name}=${identifier}`).join(','));
    // Describing instances cannot be restricted to some of them.
    this.addToRolePolicy(new PolicyStatement({ actions: ['rds:DescribeDBInstances'], resources: ['*'] }));
  }
}
