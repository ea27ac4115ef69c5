import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { FargateService } from 'aws-cdk-lib/aws-ecs';
import type { NetworkLoadBalancer, NetworkTargetGroup } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { type Duration } from 'aws-cdk-lib/core';

import type { MetricSource } from './alarm-catalogue';
import { logMetricsNamespace, metricsNamespace } from './monitoring.contract';

/** What metrics are about. */
export interface MetricSubjects {
  readonly environmentName: string;
  /** RDS identifiers by the name of the instance. */
  readonly instanceIdentifiers: Readonly<Record<string, string>>;
  readonly poolerService: FargateService;
  readonly loadBalancer: NetworkLoadBalancer;
  readonly targetGroup: NetworkTargetGroup;
}

/** A metric of the catalogue as CloudWatch names it. */
export function metricOf(source: MetricSource, subjects: MetricSubjects, statistic: string, period: Duration): Metric {
  const { environmentName, instanceIdentifiers, poolerService, loadBalancer, targetGroup } = subjects;
  const of = (namespace: string, dimensionsMap: Record<string, string>): Metric => new Metric({ namespace, metricName: source.name, dimensionsMap, statistic, period });
  switch (source.from) {
    case 'RDS':
      return of('AWS/RDS', { DBInstanceIdentifier: instanceIdentifiers[source.instance]! });
    case 'load balancer':
      return of('AWS/NetworkELB', { LoadBalancer: loadBalancer.loadBalancerFullName, TargetGroup: targetGroup.targetGroupFullName });
    case 'ECS':
      return of('AWS/ECS', { ClusterName: poolerService.cluster.clusterName, ServiceName: poolerService.serviceName });
    case 'log':
      return of(logMetricsNamespace(environmentName), {});
    case 'collector':
      return of(metricsNamespace, {
        Environment: environmentName,
        ...('pool' in source && { Pool: source.pool }),
        ...('instance' in source && { Instance: source.instance }),
      });
  }
}
