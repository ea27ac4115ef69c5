import { join } from 'node:path';

import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Duration } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';

import { observerEnvironment } from './monitoring.contract';
import { ObserverFunction, type ObserverFunctionProps } from './observer-function';

export interface CollectorFunctionProps extends ObserverFunctionProps {
  /** Connections that the budget foresees, by the name of the instance. */
  readonly budgetedConnections: Readonly<Record<string, number>>;
}

/** Asks instances and pooler once a minute and writes metrics. */
export class CollectorFunction extends ObserverFunction {
  constructor(scope: Construct, id: string, props: CollectorFunctionProps) {
    super(scope, id, props, {
      entry: join(__dirname, 'collector.lambda.ts'),
      description: 'writes metrics of the instances and of the pooler',
      // Less than the minute between two calls: they never overlap.
      timeout: Duration.seconds(50),
    });
    this.addEnvironment(observerEnvironment.budgetedConnections, Object.entries(props.budgetedConnections).map(([name, connections]) => `${name}=${connections}`).join(','));
    new Rule(scope, 'EveryMinute', {
      description: 'collects metrics of the database tier',
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [new LambdaFunction(this, { retryAttempts: 0, maxEventAge: Duration.minutes(1) })],
    });
  }
}
