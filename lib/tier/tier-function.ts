import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Architecture, Function, Runtime } from 'aws-cdk-lib/aws-lambda';
import type { Duration } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';

import { functionCode } from './function-bundles';
import type { PoolerVerification } from './pooler/connect-pooler';
import { poolerAuthorityFile, poolerVerificationEnvironment } from './pooler/pooler.contract';
import { TierLogGroup } from './tier-log-group';

/** Where a function of the tier runs: beside the database, with a security group of its own. */
export interface TierFunctionNetwork {
  readonly vpc: IVpc;
  readonly vpcSubnets: SubnetSelection;
  readonly securityGroup: ISecurityGroup;
}

export interface TierFunctionProps {
  /** Absolute path of the `*.lambda.ts` beside the construct. */
  readonly entry: string;
  /** Name of the exported handler. @default 'handler' */
  readonly handler?: string;
  /** One sentence, shown in the console. */
  readonly description: string;
  readonly timeout: Duration;
  readonly network: TierFunctionNetwork;
  /** Encrypts its log. */
  readonly encryptionKey: IKey;
  readonly environment: Record<string, string>;
  /** @default 256 MiB */
  readonly memorySize?: number;
  /** By what it verifies the pooler. @default - a certificate that nobody can verify is taken */
  readonly poolerVerification?: PoolerVerification;
}

/**
 * A Lambda of the tier: bundled offline with everything in it, so that the file that is rehearsed is the file
 * that runs, and trusting the certificate authorities of RDS besides the public ones.
 */
export class TierFunction extends Function {
  constructor(scope: Construct, id: string, props: TierFunctionProps) {
    const { poolerVerification: verification } = props;
    super(scope, id, {
      code: functionCode(props.entry, verification && { [poolerAuthorityFile.name]: verification.authorities }),
      handler: `index.${props.handler ?? 'handler'}`,
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      timeout: props.timeout,
      memorySize: props.memorySize ?? 256,
      vpc: props.network.vpc,
      vpcSubnets: props.network.vpcSubnets,
      securityGroups: [props.network.securityGroup],
      logGroup: new TierLogGroup(scope, `${id}Logs`, { encryptionKey: props.encryptionKey }),
      environment: {
        // The runtime carries the authorities of RDS in this file, and since Node.js 20 loads it only when asked.
        // https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html
        NODE_EXTRA_CA_CERTS: '/var/runtime/ca-cert.pem',
        ...props.environment,
        ...(verification && {
          [poolerVerificationEnvironment.hostName]: verification.hostName,
          [poolerVerificationEnvironment.authorityFile]: `${poolerAuthorityFile.directory}/${poolerAuthorityFile.name}`,
        }),
      },
    });
  }
}
