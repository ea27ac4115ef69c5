import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { Match, type Template } from 'aws-cdk-lib/assertions';
import { App } from 'aws-cdk-lib/core';

import { poolerEnvironment, poolerImageFiles } from '../../../lib/tier/pooler/pooler.contract';
import { containerEnvironment, poolerStack, poolerTemplate, replicaHosts } from './pooler-stack';

let template: Template;
beforeAll(() => {
  template = poolerTemplate();
});

function targetGroupAttributes(of: Template): Readonly<Record<string, string>> {
  const [group] = Object.values(of.findResources('AWS::ElasticLoadBalancingV2::TargetGroup')) as {
    Properties: { TargetGroupAttributes: { Key: string; Value: string }[] };
  }[];
  return Object.fromEntries(group!.Properties.TargetGroupAttributes.map(({ Key, Value }) => [Key, Value]));
}

describe('the task', () => {
  it('runs one container on Graviton, with nothing it could write to but its run directory', () => {
    template.hasResourceProperties('AWS::ECS::TaskDefinition', {
      RuntimePlatform: { CpuArchitecture: 'ARM64', OperatingSystemFamily: 'LINUX' },
      Volumes: [{ Name: 'run' }],
      ContainerDefinitions: [
        Match.objectLike({
          Name: 'pgbouncer',
          PortMappings: [{ ContainerPort: 6432, Protocol: 'tcp' }],
          ReadonlyRootFilesystem: true,
          MountPoints: [{ SourceVolume: 'run', ContainerPath: '/run/pgbouncer', ReadOnly: false }],
          LinuxParameters: { Capabilities: { Drop: ['ALL'] } },
          Ulimits: [{ Name: 'nofile', SoftLimit: 10_260, HardLimit: 10_260 }],
          StopTimeout: 120,
        }),
      ],
    });
  });

  it('has an image for Graviton, whatever machine builds it', () => {
    const { directory } = App.of(poolerStack())!.synth();
    const assets = JSON.parse(readFileSync(join(directory, 'service.assets.json'), 'utf8')) as {
      dockerImages: Record<string, { source: { platform?: string } }>;
    };
    expect(Object.values(assets.dockerImages).map(({ source }) => source.platform)).toEqual(['linux/arm64']);
  });

  it('is told frozen from healthy within 15 s', () => {
    template.hasResourceProperties('AWS::ECS::TaskDefinition', {
      ContainerDefinitions: [
        Match.objectLike({
          HealthCheck: {
            Command: ['CMD', '/usr/local/bin/health-check.sh'],
            Interval: 5,
            Timeout: 5,
            Retries: 2,
            StartPeriod: 40,
          },
        }),
      ],
    });
  });

  it('is given one secret, the userlist', () => {
    template.hasResourceProperties('AWS::ECS::TaskDefinition', {
      ContainerDefinitions: [
        Match.objectLike({
          Secrets: [{ Name: poolerEnvironment.userlist, ValueFrom: { Ref: Match.stringLikeRegexp('^Userlist') } }],
        }),
      ],
    });
  });

  it('is given the certificate and key of the team, where there is a secret with them', () => {
    const encryptionKeyArn = 'arn:aws:kms:eu-central-1:123456789012:key/0a1b2c3d';
    const certificateSecret = { secret: 'bookedbarber/pooler', hostName: 'pooler.bookedbarber.internal', authorities: 'PEM of the root', encryptionKeyArn };
    const verified = poolerTemplate({ certificateSecret });
    const field = (name: string): unknown => ({ 'Fn::Join': ['', Match.arrayWith([Match.stringLikeRegexp(`:secret:bookedbarber/pooler:${name}::$`)])] });
    verified.hasResourceProperties('AWS::ECS::TaskDefinition', {
      ContainerDefinitions: [
        Match.objectLike({
          Secrets: [
            Match.objectLike({ Name: poolerEnvironment.userlist }),
            { Name: poolerEnvironment.clientTlsCertificate, ValueFrom: field('certificate') },
            { Name: poolerEnvironment.clientTlsKey, ValueFrom: field('privateKey') },
          ],
        }),
      ],
    });
    expect(containerEnvironment(verified)).toMatchObject({
      [poolerEnvironment.clientTlsHost]: 'pooler.bookedbarber.internal',
      [poolerEnvironment.clientTlsAuthorities]: 'PEM of the root',
    });
    const statements = Object.values(verified.findResources('AWS::IAM::Policy')).flatMap(({ Properties }) => Properties.PolicyDocument.Statement);
    expect(statements).toContainEqual(expect.objectContaining({ Action: 'kms:Decrypt', Resource: expect.arrayContaining([encryptionKeyArn]), Condition: expect.anything() }));
    const secretReads = statements.filter(({ Action }) => [Action].flat().includes('secretsmanager:GetSecretValue'));
    expect(JSON.stringify(secretReads)).toContain(':secret:bookedbarber/pooler-??????');
  });

  it('is told a secret by its ARN as it stands', () => {
    const secret = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:pooler-a1B2c3';
    const verified = poolerTemplate({ certificateSecret: { secret, hostName: 'pooler.internal', authorities: '', certificateField: 'chain', privateKeyField: 'key' } });
    verified.hasResourceProperties('AWS::ECS::TaskDefinition', {
      ContainerDefinitions: [Match.objectLike({ Secrets: Match.arrayWith([{ Name: poolerEnvironment.clientTlsKey, ValueFrom: `${secret}:key::` }]) })],
    });
  });

  it('has no password, verifier or key in plain sight, and its variables sorted', () => {
    const environment = containerEnvironment(template);
    expect(JSON.stringify(environment)).not.toMatch(/SCRAM-SHA-256\$|password|BEGIN|resolve:/i);
    expect(Object.keys(environment)).toEqual(Object.keys(environment).sort());
  });

  it('is replaced when the userlist changes', () => {
    expect(containerEnvironment(template)[poolerEnvironment.userlistVersion]).toBe('version-1');
  });

  it('knows the aliases of the primary and of the replicas', () => {
    expect(containerEnvironment(poolerTemplate({}, replicaHosts))).toMatchObject({
      PGBOUNCER_DATABASE_BOOKEDBARBER:
        'host=primary.internal port=5432 dbname=bookedbarber pool_size=25 max_db_connections=25',
      PGBOUNCER_DATABASE_BOOKEDBARBER_RO:
        'host=replica-1.internal,replica-2.internal port=5432 dbname=bookedbarber load_balance_hosts=round-robin pool_size=25 max_db_connections=25',
    });
  });

  it('logs without waiting for CloudWatch', () => {
    template.hasResourceProperties('AWS::ECS::TaskDefinition', {
      ContainerDefinitions: [
        Match.objectLike({
          LogConfiguration: { LogDriver: 'awslogs', Options: Match.objectLike({ mode: 'non-blocking' }) },
        }),
      ],
    });
    template.hasResourceProperties('AWS::Logs::LogGroup', { RetentionInDays: 90 });
  });
});

describe('the service', () => {
  it('replaces tasks only by healthy ones, and goes back by itself', () => {
    template.hasResourceProperties('AWS::ECS::Service', {
      LaunchType: 'FARGATE',
      DeploymentConfiguration: {
        MinimumHealthyPercent: 100,
        MaximumPercent: 200,
        DeploymentCircuitBreaker: { Enable: true, Rollback: true },
      },
      NetworkConfiguration: { AwsvpcConfiguration: Match.objectLike({ AssignPublicIp: 'DISABLED' }) },
    });
  });

  it('leaves the number of tasks to autoscaling', () => {
    template.hasResourceProperties('AWS::ECS::Service', { DesiredCount: Match.absent() });
    template.hasResourceProperties('AWS::ApplicationAutoScaling::ScalableTarget', { MinCapacity: 2, MaxCapacity: 4 });
    template.hasResourceProperties('AWS::ApplicationAutoScaling::ScalingPolicy', {
      TargetTrackingScalingPolicyConfiguration: {
        TargetValue: 50,
        PredefinedMetricSpecification: { PredefinedMetricType: 'ECSServiceAverageCPUUtilization' },
      },
    });
  });

  it('registers the port of its container', () => {
    template.hasResourceProperties('AWS::ECS::Service', {
      LoadBalancers: [Match.objectLike({ ContainerName: 'pgbouncer', ContainerPort: 6432 })],
    });
  });
});

describe('the balancer', () => {
  it('is internal, spreads over the zones and has a security group from the start', () => {
    template.hasResourceProperties('AWS::ElasticLoadBalancingV2::LoadBalancer', {
      Type: 'network',
      Scheme: 'internal',
      SecurityGroups: [{ 'Fn::GetAtt': [Match.stringLikeRegexp('^Balancer'), 'GroupId'] }],
      LoadBalancerAttributes: Match.arrayWith([{ Key: 'load_balancing.cross_zone.enabled', Value: 'true' }]),
    });
  });

  it('relays TCP on 6432 and forgets idle clients only after 350 s', () => {
    template.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', {
      Port: 6432,
      Protocol: 'TCP',
      ListenerAttributes: [{ Key: 'tcp.idle_timeout.seconds', Value: '350' }],
    });
    template.hasResourceProperties('AWS::ElasticLoadBalancingV2::TargetGroup', {
      Port: 6432,
      Protocol: 'TCP',
      TargetType: 'ip',
      HealthCheckProtocol: 'TCP',
    });
  });

  it('never resets a connection, and sends a client’s cancel request to the task of its query', () => {
    expect(targetGroupAttributes(template)).toEqual({
      'deregistration_delay.connection_termination.enabled': 'false',
      'deregistration_delay.timeout_seconds': '120',
      'preserve_client_ip.enabled': 'true',
      'stickiness.enabled': 'true',
      'stickiness.type': 'source_ip',
      'target_health_state.unhealthy.connection_termination.enabled': 'false',
    });
  });

  it('spreads connections one by one when stickiness is switched off', () => {
    expect(targetGroupAttributes(poolerTemplate({ sourceIpStickiness: false }))).toMatchObject({
      'stickiness.enabled': 'false',
    });
  });
});

it('adds no rule to any security group: the access list has them all', () => {
  template.resourceCountIs('AWS::EC2::SecurityGroupIngress', 0);
  template.resourceCountIs('AWS::EC2::SecurityGroupEgress', 0);
  template.allResourcesProperties('AWS::EC2::SecurityGroup', { SecurityGroupIngress: Match.absent() });
});

it('the image has every program that the template and the rehearsal call', () => {
  for (const file of [poolerImageFiles.entrypoint, poolerImageFiles.healthCheck]) {
    const path = join(__dirname, '../../../assets/pgbouncer', file);
    expect(existsSync(path)).toBe(true);
    expect(statSync(path).mode & 0o111).not.toBe(0);
  }
});
