import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import {
  AvailabilityZoneRebalancing,
  Cluster,
  ContainerInsights,
  FargateService,
  PropagatedTagSource,
} from 'aws-cdk-lib/aws-ecs';
import { Duration } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';

import { poolerPort } from '../network/access-list';
import { PoolerBalancer } from './pooler-balancer';
import { PoolerTask, type PoolerTaskProps } from './pooler-task';
import { poolerContainerName } from './pooler.contract';
import { maximumHealthyPercent } from './task-capacity';
import { taskStart } from './task-start';

export interface PoolerProps extends PoolerTaskProps {
  readonly vpc: IVpc;
  readonly taskSubnets: SubnetSelection;
  readonly balancerSubnets: SubnetSelection;
  /** Its rules, and the balancer's, are the access list's; none are added here. */
  readonly taskSecurityGroup: ISecurityGroup;
  readonly balancerSecurityGroup: ISecurityGroup;
}

/** PgBouncer as a service: tasks on Fargate behind an internal network load balancer. */
export class Pooler extends Construct {
  readonly service: FargateService;
  readonly task: PoolerTask;
  readonly balancer: PoolerBalancer;

  constructor(scope: Construct, id: string, props: PoolerProps) {
    super(scope, id);
    const { vpc, config } = props;

    this.task = new PoolerTask(this, 'Task', props);
    this.service = new FargateService(this, 'Service', {
      cluster: new Cluster(this, 'Cluster', { vpc, containerInsightsV2: ContainerInsights.ENABLED }),
      taskDefinition: this.task,
      vpcSubnets: props.taskSubnets,
      securityGroups: [props.taskSecurityGroup],
      assignPublicIp: false,
      availabilityZoneRebalancing: AvailabilityZoneRebalancing.ENABLED,
      // No desiredCount: every deploy would undo what autoscaling decided.
      minHealthyPercent: 100,
      maxHealthyPercent: maximumHealthyPercent,
      circuitBreaker: { enable: true, rollback: true },
      healthCheckGracePeriod: Duration.seconds(taskStart.healthCheckGracePeriodSeconds),
      propagateTags: PropagatedTagSource.SERVICE,
    });
    const scaling = this.service.autoScaleTaskCount({ minCapacity: config.minTasks, maxCapacity: config.maxTasks });
    scaling.scaleOnCpuUtilization('Cpu', {
      targetUtilizationPercent: config.targetCpuPercent,
      // Clients stay where they are: a task too many costs little, one that leaves sends its clients away.
      scaleInCooldown: Duration.minutes(15),
      scaleOutCooldown: Duration.minutes(1),
    });

    this.balancer = new PoolerBalancer(this, 'Balancer', {
      vpc,
      vpcSubnets: props.balancerSubnets,
      securityGroup: props.balancerSecurityGroup,
      sourceIpStickiness: config.sourceIpStickiness,
    });
    this.balancer.targetGroup.addTarget(
      this.service.loadBalancerTarget({ containerName: poolerContainerName, containerPort: poolerPort }),
    );
  }

  /** Name of the balancer: where clients connect. */
  get endpointHost(): string {
    return this.balancer.loadBalancerDnsName;
  }
}
