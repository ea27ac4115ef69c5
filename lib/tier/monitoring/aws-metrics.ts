interface AwsMetrics {
  readonly namespace: string;
  /** Where AWS documents metrics and dimensions. */
  readonly pages: readonly string[];
  /** The set of dimensions by which they are looked up here. */
  readonly dimensions: readonly string[];
  /** CloudWatch's unit by the name of the metric. */
  readonly units: Readonly<Record<string, 'Percent' | 'Count' | 'Bytes' | 'Seconds' | 'None'>>;
}

/** Metrics of AWS that alarms and the dashboard use. */
export const awsMetrics = {
  instance: {
    namespace: 'AWS/RDS',
    pages: [
      'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html',
      'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/dimensions.html',
      // DBLoad
      'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PerfInsights.Cloudwatch.html',
    ],
    dimensions: ['DBInstanceIdentifier'],
    units: {
      CPUUtilization: 'Percent',
      DatabaseConnections: 'Count',
      FreeableMemory: 'Bytes',
      FreeStorageSpace: 'Bytes',
      DiskQueueDepth: 'Count',
      DBLoad: 'None',
      CPUCreditBalance: 'Count',
      MaximumUsedTransactionIDs: 'Count',
      ReplicaLag: 'Seconds',
    },
  },
  targets: {
    namespace: 'AWS/NetworkELB',
    pages: ['https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-cloudwatch-metrics.html'],
    dimensions: ['LoadBalancer', 'TargetGroup'],
    units: { HealthyHostCount: 'Count', UnHealthyHostCount: 'Count' },
  },
  service: {
    namespace: 'AWS/ECS',
    pages: ['https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html'],
    dimensions: ['ClusterName', 'ServiceName'],
    units: { CPUUtilization: 'Percent', MemoryUtilization: 'Percent' },
  },
} as const satisfies Readonly<Record<string, AwsMetrics>>;

export type RdsMetric = keyof typeof awsMetrics.instance.units;
export type TargetMetric = keyof typeof awsMetrics.targets.units;
export type ServiceMetric = keyof typeof awsMetrics.service.units;
