import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { NetworkLoadBalancer, NetworkTargetGroup, Protocol, TargetType } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { Duration } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';

import { poolerPort } from '../network/access-list';
import { drain } from './drain';
import { balancerIdleTimeoutSeconds } from './task-capacity';

export interface PoolerBalancerProps {
  readonly vpc: IVpc;
  readonly vpcSubnets: SubnetSelection;
  readonly securityGroup: ISecurityGroup;
  /** All connections of one client address go to one task. */
  readonly sourceIpStickiness: boolean;
}

/**
 * An internal network load balancer. It relays TCP: its own TLS listener could not answer PostgreSQL's SSLRequest.
 *
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html
 */
export class PoolerBalancer extends NetworkLoadBalancer {
  readonly targetGroup: NetworkTargetGroup;

  constructor(scope: Construct, id: string, props: PoolerBalancerProps) {
    super(scope, id, {
      vpc: props.vpc,
      vpcSubnets: props.vpcSubnets,
      internetFacing: false,
      crossZoneEnabled: true,
      // Given now: adding one to a balancer that has none replaces it, and its name with it.
      securityGroups: [props.securityGroup],
    });
    this.targetGroup = new NetworkTargetGroup(this, 'Tasks', {
      vpc: props.vpc,
      targetType: TargetType.IP,
      protocol: Protocol.TCP,
      port: poolerPort,
      preserveClientIp: true,
      deregistrationDelay: Duration.seconds(drain.deregistrationDelaySeconds),
      // At the end of that delay, the task itself decides when a connection may end.
      connectionTermination: false,
      healthCheck: {
        protocol: Protocol.TCP,
        interval: Duration.seconds(10),
        healthyThresholdCount: 2,
        unhealthyThresholdCount: 2,
      },
    });
    // A task that lets nobody in any more may still be finishing transactions: do not reset its connections.
    this.targetGroup.setAttribute('target_health_state.unhealthy.connection_termination.enabled', 'false');
    // A cancel request is a connection of its own, and only the task that holds the query can act on it.
    this.targetGroup.setAttribute('stickiness.enabled', `${props.sourceIpStickiness}`);
    if (props.sourceIpStickiness) this.targetGroup.setAttribute('stickiness.type', 'source_ip');

    this.addListener('Listener', {
      port: poolerPort,
      protocol: Protocol.TCP,
      // PgBouncer's keepalive, every few seconds, keeps idle clients known.
      tcpIdleTimeout: Duration.seconds(balancerIdleTimeoutSeconds),
      defaultTargetGroups: [this.targetGroup],
    });
  }
}
