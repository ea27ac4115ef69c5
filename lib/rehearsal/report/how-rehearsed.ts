/** By what a type of resource is imitated, or why it is not rehearsed; the first that fits. */
const explanations: readonly (readonly [type: RegExp, how: string])[] = [
  [/^AWS::ECS::TaskDefinition$/, "its environment, secrets and limit of open files, by the image's own entrypoint and PgBouncer"],
  [/^AWS::Lambda::Function$/, 'its bundle runs with its environment and timeout'],
  [/^AWS::RDS::DBParameterGroup$/, 'the servers read its parameters, but those that only RDS has; they are read back and compared'],
  [/^Custom::(Postgres(Indexes|Roles)|SmokeCheck)$/, 'its functions get the events that CloudFormation would send'],
  [/^AWS::ECS::Service$/, "as many tasks as autoscaling starts with, replaced in ECS's order"],
  [/^AWS::ElasticLoadBalancingV2::/, 'haproxy, relaying TCP with the same stickiness and idle timeout'],
  [/^AWS::Events::Rule$/, 'its function is called by hand, not by a clock'],
  [/^AWS::RDS::DBInstance$/, 'PostgreSQL that withholds what RDS withholds'],
  [/^AWS::SSM::Parameter$/, 'kept in memory, and read as an application reads it'],
  [/^AWS::SecretsManager::/, "a local endpoint with the part of Secrets Manager's API that the functions call"],
  [/^AWS::ApplicationAutoScaling::/, 'the number of tasks does not change by load here'],
  [/^AWS::(CloudWatch|SNS)::|^AWS::Logs::MetricFilter$/, 'there is no CloudWatch here; the metrics themselves are written and read'],
  [/^AWS::EC2::|^AWS::RDS::DBSubnetGroup$|^Custom::VpcRestrictDefaultSG$/, 'everything is on the loopback network, and may talk to everything'],
  [/^AWS::(IAM::|Lambda::Permission$)/, 'everybody may do everything here'],
  [/^AWS::KMS::/, 'nothing is encrypted at rest here'],
  [/^AWS::Logs::LogGroup$|^Custom::LogRetention$/, 'logs go with the rehearsal'],
  [/^AWS::ECS::Cluster$/, 'tasks are processes of this machine'],
  [/^AWS::StepFunctions::/, "CDK's waiter: its handlers are called as it would call them"],
];

/** In a few words; undefined for a type that nobody has thought of. */
export function howRehearsed(resourceType: string): string | undefined {
  return explanations.find(([type]) => type.test(resourceType))?.[1];
}
