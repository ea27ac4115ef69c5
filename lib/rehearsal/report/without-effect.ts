/** Properties of a resource that is brought up here, that have no effect here for the same reason. */
export interface WithoutEffect {
  readonly why: string;
  /** For example `ContainerDefinitions[pgbouncer].LogConfiguration`. */
  readonly properties: readonly string[];
}

const network = 'everything is on the loopback network, and may talk to everything';
const forPeople = 'a name, or a word for people';

/** Why a property has no effect here, by its type and path; the first that fits. */
const reasons: readonly (readonly [property: RegExp, why: string])[] = [
  [/^AWS::RDS::DBInstance (AllocatedStorage|MaxAllocatedStorage|Iops|StorageThroughput|StorageType)$/, 'its storage is the disk of this machine'],
  [/^AWS::RDS::DBInstance (BackupRetentionPeriod|PreferredBackupWindow|DeleteAutomatedBackups|CopyTagsToSnapshot)$/, 'nothing is backed up here'],
  [/^AWS::RDS::DBInstance (AutoMinorVersionUpgrade|PreferredMaintenanceWindow)$/, 'nothing is maintained here'],
  [/^AWS::RDS::DBInstance (EnablePerformanceInsights|PerformanceInsightsRetentionPeriod|DatabaseInsightsMode|MonitoringInterval|EnableCloudwatchLogsExports)$/, 'there is no CloudWatch here'],
  [/^AWS::RDS::DBInstance CACertificateIdentifier$/, 'an authority of this rehearsal signs the certificates'],
  [/ (DeletionProtection|LoadBalancerAttributes\[deletion_protection\.enabled\])$/, 'everything goes with the rehearsal'],
  [/^AWS::Lambda::Function (Architectures|MemorySize)$/, 'it runs on the processor and memory of this machine'],
  [/^AWS::Lambda::Function (Code\.S3Bucket|Code)$/, 'its bundle lies in the assembly'],
  [/^AWS::Events::Rule (ScheduleExpression|State|Targets\[[^\]]*\]\.RetryPolicy)$/, 'its function is called by hand, not by a clock'],
  [/^AWS::SecretsManager::RotationSchedule (RotationRules|RotateImmediatelyOnUpdate)(\.|$)/, 'secrets are rotated by a drill, not by a clock'],
  [/^AWS::ElasticLoadBalancingV2::LoadBalancer LoadBalancerAttributes\[load_balancing\.cross_zone\.enabled\]$/, 'there is one zone here'],
  [/^AWS::ElasticLoadBalancingV2::TargetGroup (HealthCheck|HealthyThresholdCount|UnhealthyThresholdCount|TargetGroupAttributes\[target_health_state\.)/, "haproxy checks by intervals of its own; a task's end is told to it"],
  [/^AWS::ElasticLoadBalancingV2::TargetGroup TargetGroupAttributes\[(deregistration_delay\.connection_termination\.enabled|preserve_client_ip\.enabled|stickiness\.type)\]$/, 'connections end with their task, and clients are told apart by the address that they connect to'],
  [/^AWS::ElasticLoadBalancingV2::TargetGroup Port$/, 'a task registers with the port of its container'],
  [/^AWS::ECS::TaskDefinition (Cpu|Memory|RuntimePlatform|RequiresCompatibilities)(\.|$)|^AWS::ECS::Service LaunchType$/, 'a task has the processor and memory of this machine'],
  [/^AWS::ECS::TaskDefinition (Volumes|ContainerDefinitions\[[^\]]*\]\.(LinuxParameters|MountPoints|ReadonlyRootFilesystem))|^AWS::ECS::TaskDefinition ContainerDefinitions\[[^\]]*\]\.Ulimits/, 'a task is a process here, without a container around it'],
  [/^AWS::ECS::TaskDefinition ContainerDefinitions\[[^\]]*\]\.Essential$/, 'the task has no other container'],
  [/^AWS::ECS::TaskDefinition ContainerDefinitions\[[^\]]*\]\.HealthCheck(\.|$)/, "the image's health check is called until a new task is healthy; drills believe it as often as the template says"],
  [/^AWS::ECS::Service (DeploymentConfiguration|AvailabilityZoneRebalancing|HealthCheckGracePeriodSeconds)(\.|$)/, 'tasks are replaced all at once, new ones first; a deployment that fails leaves the old ones'],
  [/^AWS::ECS::Service (Cluster|EnableECSManagedTags|PropagateTags)$/, 'tasks are processes of this machine'],
  [/ (KmsKeyId|PerformanceInsightsKMSKeyId|StorageEncrypted)$/, 'nothing is encrypted at rest here'],
  [/ (Role|[A-Za-z]*RoleArn)$/, 'everybody may do everything here'],
  [/LogConfiguration|LoggingConfig/, 'logs go with the rehearsal'],
  [/ (VPCSecurityGroups|SecurityGroups|Subnets|DBSubnetGroupName|PubliclyAccessible|Scheme|VpcConfig|VpcId|NetworkConfiguration|NetworkMode)$/, network],
  [/^AWS::ElasticLoadBalancingV2::/, network],
  [/ (Description|Family|Type|TargetType|Targets\[[^\]]*\]\.Id|[A-Za-z.[\]]*Protocol)$/, forPeople],
];

/** What of a resource nobody read, by reason; and what nobody has thought of. */
export function explainUnread(resourceType: string, unread: readonly string[]): { readonly withoutEffect: readonly WithoutEffect[]; readonly unknown: readonly string[] } {
  const why = (property: string): string | undefined => reasons.find(([pattern]) => pattern.test(`${resourceType} ${property}`))?.[1];
  const known = unread.filter((property) => why(property) !== undefined);
  return {
    withoutEffect: [...new Set(known.map(why))].map((reason) => ({ why: reason!, properties: known.filter((property) => why(property) === reason) })),
    unknown: unread.filter((property) => why(property) === undefined),
  };
}
