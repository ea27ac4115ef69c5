import {
  FlowLogDestination,
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  IpAddresses,
  type ISecurityGroup,
  SecurityGroup,
  type SubnetConfiguration,
  type SubnetSelection,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';

import type { ResolvedTierConfig } from '../../config/resolve-config';
import { TierLogGroup } from '../tier-log-group';

export interface NetworkProps {
  /** Encrypts the flow logs. */
  readonly encryptionKey: IKey;
  readonly config: ResolvedTierConfig['network'];
}

/**
 * A VPC over two zones: isolated subnets for the databases, private ones for the pooler and the functions, and
 * public ones only where NAT gateways need them.
 */
export class Network extends Construct {
  readonly vpc: Vpc;
  /** For databases: no route to anywhere outside the VPC. */
  readonly databaseSubnets: SubnetSelection;
  /** For pooler tasks, the balancer and functions: a route to AWS, none from outside. */
  readonly serviceSubnets: SubnetSelection;
  /** Of the interface endpoints; undefined when AWS is reached through NAT. */
  readonly endpointSecurityGroup?: ISecurityGroup;

  constructor(scope: Construct, id: string, props: NetworkProps) {
    super(scope, id);
    const { cidr, egress } = props.config;
    const nat = egress === 'interface-endpoints' ? undefined : egress;

    this.vpc = new Vpc(this, 'Vpc', {
      ipAddresses: IpAddresses.cidr(cidr),
      maxAzs: 2,
      natGateways: nat?.natGateways ?? 0,
      subnetConfiguration: [...(nat ? [publicSubnets] : []), serviceSubnets(nat !== undefined), databaseSubnets],
    });
    this.databaseSubnets = { subnetGroupName: databaseSubnets.name };
    this.serviceSubnets = { subnetGroupName: 'service' };

    this.vpc.addFlowLog('FlowLog', {
      destination: FlowLogDestination.toCloudWatchLogs(new TierLogGroup(this, 'FlowLogs', { encryptionKey: props.encryptionKey, retention: RetentionDays.ONE_MONTH })),
    });
    if (!nat) this.endpointSecurityGroup = this.addEndpoints();
  }

  private addEndpoints(): ISecurityGroup {
    const securityGroup = new SecurityGroup(this, 'EndpointSecurityGroup', {
      vpc: this.vpc,
      description: 'interface endpoints of the database tier',
      allowAllOutbound: false,
    });
    for (const [id, service] of Object.entries(endpointServices)) {
      this.vpc.addInterfaceEndpoint(id, { service, subnets: this.serviceSubnets, securityGroups: [securityGroup], open: false });
    }
    // Image layers come from S3. https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html
    this.vpc.addGatewayEndpoint('S3', { service: GatewayVpcEndpointAwsService.S3, subnets: [this.serviceSubnets] });
    return securityGroup;
  }
}

const publicSubnets: SubnetConfiguration = { name: 'public', subnetType: SubnetType.PUBLIC, cidrMask: 26, mapPublicIpOnLaunch: false };
const databaseSubnets: SubnetConfiguration = { name: 'database', subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 26 };

function serviceSubnets(nat: boolean): SubnetConfiguration {
  return { name: 'service', subnetType: nat ? SubnetType.PRIVATE_WITH_EGRESS : SubnetType.PRIVATE_ISOLATED, cidrMask: 26 };
}

/** What tasks and functions call; everything else they do without. */
const endpointServices = {
  EcrApi: InterfaceVpcEndpointAwsService.ECR,
  EcrDocker: InterfaceVpcEndpointAwsService.ECR_DOCKER,
  Logs: InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
  SecretsManager: InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
  Rds: InterfaceVpcEndpointAwsService.RDS,
  Ecs: InterfaceVpcEndpointAwsService.ECS,
} as const;
