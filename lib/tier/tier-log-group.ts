import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { RemovalPolicy } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';

export interface TierLogGroupProps {
  /** Encrypts the lines; the data stack lets CloudWatch use it for logs of this account. */
  readonly encryptionKey: IKey;
  /** @default THREE_MONTHS */
  readonly retention?: RetentionDays;
}

/** A log that ends by itself, and goes with its stack: nothing of the tier is kept in one alone. */
export class TierLogGroup extends LogGroup {
  constructor(scope: Construct, id: string, { encryptionKey, retention = RetentionDays.THREE_MONTHS }: TierLogGroupProps) {
    super(scope, id, { encryptionKey, retention, removalPolicy: RemovalPolicy.DESTROY });
  }
}
