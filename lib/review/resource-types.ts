/** What is lost with a resource that holds state. */
const stateful: Readonly<Record<string, string>> = {
  'AWS::RDS::DBInstance': 'the database in it',
  'AWS::RDS::DBCluster': 'the databases in it',
  'AWS::KMS::Key': 'the only way to read what it encrypted: databases, snapshots, secrets',
  'AWS::SecretsManager::Secret': 'the password in it, which the database and its clients still use',
  'AWS::Logs::LogGroup': 'the log lines in it',
  'AWS::S3::Bucket': 'the objects in it',
  'AWS::DynamoDB::Table': 'the items in it',
  'AWS::DynamoDB::GlobalTable': 'the items in it',
  'AWS::EFS::FileSystem': 'the files in it',
  'AWS::EC2::Volume': 'the files on it',
  'AWS::ECR::Repository': 'the images in it',
  'AWS::SQS::Queue': 'the messages in it',
  'AWS::SNS::Topic': 'its subscriptions, each of which a person had to confirm',
  'AWS::Backup::BackupVault': 'the backups in it',
};

/** Without them, somebody cannot connect. */
const serving: ReadonlySet<string> = new Set([
  'AWS::EC2::VPC', 'AWS::EC2::VPCCidrBlock', 'AWS::EC2::Subnet', 'AWS::EC2::Route', 'AWS::EC2::RouteTable', 'AWS::EC2::SubnetRouteTableAssociation', 'AWS::EC2::NatGateway', 'AWS::EC2::EIP',
  'AWS::EC2::InternetGateway', 'AWS::EC2::VPCGatewayAttachment', 'AWS::EC2::VPCEndpoint', 'AWS::EC2::NetworkAcl', 'AWS::EC2::NetworkAclEntry', 'AWS::EC2::SecurityGroup',
  'AWS::ECS::Cluster', 'AWS::ECS::Service', 'AWS::ElasticLoadBalancingV2::LoadBalancer', 'AWS::ElasticLoadBalancingV2::Listener', 'AWS::ElasticLoadBalancingV2::TargetGroup',
  'AWS::CertificateManager::Certificate', 'AWS::Route53::HostedZone', 'AWS::Route53::RecordSet', 'AWS::SSM::Parameter',
]); // prettier-ignore

/** Nobody who uses the tier is connected through them, and nothing is kept in them. */
const quiet: ReadonlySet<string> = new Set([
  'AWS::ApplicationAutoScaling::ScalableTarget', 'AWS::ApplicationAutoScaling::ScalingPolicy', 'AWS::CDK::Metadata', 'AWS::CloudWatch::Alarm', 'AWS::CloudWatch::CompositeAlarm',
  'AWS::CloudWatch::Dashboard', 'AWS::EC2::FlowLog', 'AWS::EC2::SecurityGroupEgress', 'AWS::EC2::SecurityGroupIngress', 'AWS::ECS::TaskDefinition', 'AWS::Events::Rule', 'AWS::IAM::ManagedPolicy',
  'AWS::IAM::Policy', 'AWS::IAM::Role', 'AWS::KMS::Alias', 'AWS::Lambda::EventInvokeConfig', 'AWS::Lambda::Function', 'AWS::Lambda::Permission', 'AWS::Lambda::Version', 'AWS::Logs::MetricFilter',
  'AWS::Logs::QueryDefinition', 'AWS::RDS::DBParameterGroup', 'AWS::RDS::DBSubnetGroup', 'AWS::SNS::Subscription', 'AWS::SNS::TopicPolicy', 'AWS::Scheduler::Schedule', 'AWS::SecretsManager::ResourcePolicy',
  'AWS::SecretsManager::RotationSchedule', 'AWS::SecretsManager::SecretTargetAttachment', 'AWS::StepFunctions::StateMachine', 'Custom::LogRetention', 'Custom::VpcRestrictDefaultSG',
]); // prettier-ignore

/**
 * What a type is to the tier: `stateful` keeps something, `serving` carries connections, `quiet` neither. A type that
 * stands in no list is `unknown`, and is judged as if it were all of them.
 */
export function kindOfType(type: string): 'stateful' | 'serving' | 'quiet' | 'unknown' {
  if (type in stateful) return 'stateful';
  if (serving.has(type)) return 'serving';
  return quiet.has(type) ? 'quiet' : 'unknown';
}

/** What is lost when a resource of the type is deleted or replaced. */
export function contentOf(type: string): string {
  return stateful[type] ?? 'whatever it holds';
}
