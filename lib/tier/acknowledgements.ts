import { Validations } from 'aws-cdk-lib/core';
import type { IConstruct } from 'constructs';

import type { ResolvedTierConfig } from '../config/resolve-config';

/** Findings of cdk-nag's AwsSolutions pack that are accepted at one construct, and why. */
interface Acknowledgement {
  /** Path from the tier, exact: a construct that moved must be judged anew. */
  readonly path: string;
  readonly rules: readonly string[];
  readonly reason: string;
}

/**
 * Accepts what is known and meant.
 *
 * @throws Error if a path leads nowhere
 */
export function acknowledgeFindings(tier: IConstruct, config: ResolvedTierConfig): void {
  for (const { path, rules, reason } of acknowledgements(config)) {
    const construct = path.split('/').reduce<IConstruct>((scope, id) => scope.node.findChild(id), tier);
    for (const id of rules) Validations.of(construct).acknowledge({ id: `AwsSolutions::AwsSolutions-${id}`, reason });
  }
}

const managedPolicy = (name: string): string => `IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/${name}]`;
/** `lambda:InvokeFunction` on every version of a function, by its logical id. */
const anyVersionOf = (logicalId: string): string => `IAM5[Resource::<${logicalId}.Arn>:*]`;

function acknowledgements(config: ResolvedTierConfig): readonly Acknowledgement[] {
  return [...dataAcknowledgements(config), ...serviceAcknowledgements(config)];
}

function dataAcknowledgements(config: ResolvedTierConfig): readonly Acknowledgement[] {
  const disposable = config.database.protection !== 'retain';
  const monitored = config.database.enhancedMonitoringSeconds > 0;
  const instances = ['Primary', ...Object.keys(config.replicas).map((name) => `Replica-${name}`)].map((id) => `data/Database/${id}`);
  const replicas = instances.slice(1);
  const logRetention = 'data/LogRetentionaae0aa3c5b4d4f87b02d85b201efdd8a/ServiceRole';
  return [
    {
      path: 'data/Database/MasterSecret/Resource',
      rules: ['SMG4'],
      reason: 'Only the bootstrap reads it; a scheduled change would have no reader to tell. RDS cannot manage it for an instance with replicas.',
    },
    ...instances.map((path) => ({
      path: `${path}/Resource`,
      rules: ['RDS11'],
      reason: 'Reachable from named security groups inside the VPC only; another port would hide nothing from them and surprise every tool.',
    })),
    ...replicas.map((path) => ({
      path: `${path}/Resource`,
      rules: ['RDS2', 'RDS3', 'RDS10'],
      reason: "A replica inherits its source's encryption, is itself the redundancy, and holds nothing that its source does not.",
    })),
    ...(config.database.multiAz
      ? []
      : [{ path: 'data/Database/Primary/Resource', rules: ['RDS3'], reason: 'multiAz is off for this environment: an outage of its zone is accepted.' }]),
    ...(disposable
      ? [{ path: 'data/Database/Primary/Resource', rules: ['RDS10'], reason: 'The environment is declared disposable, with its reason, in environments.ts.' }]
      : []),
    ...(monitored
      ? instances.map((path) => ({
          path: `${path}/MonitoringRole/Resource`,
          rules: [managedPolicy('AmazonRDSEnhancedMonitoringRole')],
          reason: 'The policy that RDS documents for enhanced monitoring: it may write the log group RDSOSMetrics.',
        }))
      : []),
    {
      path: `${logRetention}/Resource`,
      rules: [managedPolicy('AWSLambdaBasicExecutionRole')],
      reason: "Made by aws-cdk-lib for the log groups' retention: it may write its own log.",
    },
    {
      path: `${logRetention}/DefaultPolicy/Resource`,
      rules: ['IAM5[Resource::*]'],
      reason: "Made by aws-cdk-lib for the log groups' retention: the names of RDS's log groups are known only at deploy.",
    },
  ];
}

function serviceAcknowledgements(config: ResolvedTierConfig): readonly Acknowledgement[] {
  const rotates = 'everyDays' in config.roles.passwordRotation;
  const functions = ['Roles/Bootstrap', 'Indexes/OnEvent', 'Indexes/IsComplete', 'Indexes/Tick', 'Monitoring/Collector', 'Monitoring/Diagnosis', 'SmokeCheck/Check', ...(rotates ? ['Rotation/Function'] : [])].map((path) => `service/${path}`);
  const framework = ['Roles/Provider/framework-onEvent', 'Indexes/Provider/framework-onEvent', 'Indexes/Provider/framework-isComplete', 'Indexes/Provider/framework-onTimeout', 'SmokeCheck/Provider/framework-onEvent'].map((path) => `service/${path}`);
  const secrets = ['ApplicationSecret', 'ReadOnlySecret', 'MigrationsSecret', 'IndexesSecret', 'CollectorSecret', 'PoolerAdminSecret', 'RotationSecret'].map((id) => `service/Roles/${id}/Resource`);
  const indexHandlers = ['IndexesOnEventC3115923', 'IndexesIsComplete2DDAC337'];
  return [
    ...functions.map((path) => ({
      path: `${path}/ServiceRole/Resource`,
      rules: [managedPolicy('AWSLambdaBasicExecutionRole'), managedPolicy('AWSLambdaVPCAccessExecutionRole')],
      reason: 'The policies that Lambda documents for a function in a VPC: its own log, and network interfaces.',
    })),
    ...framework.map((path) => ({
      path: `${path}/ServiceRole/Resource`,
      rules: [managedPolicy('AWSLambdaBasicExecutionRole')],
      reason: "Of aws-cdk-lib's provider framework: it may write its own log.",
    })),
    ...functions
      .filter((path) => path.startsWith('service/Indexes') || path.startsWith('service/SmokeCheck'))
      .map((path) => ({
        path: `${path}/ServiceRole/DefaultPolicy/Resource`,
        rules: ['IAM5[Resource::*]'],
        reason: 'rds:DescribeDBInstances only; describing cannot be restricted to some instances by every caller that lists them.',
      })),
    ...['Monitoring/Collector', 'Monitoring/Diagnosis', ...(rotates ? ['Rotation/Function'] : [])].map((path) => ({
      path: `service/${path}/ServiceRole/DefaultPolicy/Resource`,
      rules: ['IAM5[Resource::*]', 'IAM5[Resource::arn:<AWS::Partition>:ecs:<AWS::Region>:<AWS::AccountId>:task/<PoolerClusterDE2A9260>/*]'],
      reason: "ecs:ListTasks names no resource, and tasks have no name before they run; both are restricted to the pooler's cluster by a condition. Describing instances cannot be restricted to some of them.",
    })),
    {
      path: 'service/Roles/Provider/framework-onEvent/ServiceRole/DefaultPolicy/Resource',
      rules: [anyVersionOf('RolesBootstrapC8BDB062')],
      reason: "Of aws-cdk-lib's provider framework: it may invoke any version of this one function.",
    },
    {
      path: 'service/SmokeCheck/Provider/framework-onEvent/ServiceRole/DefaultPolicy/Resource',
      rules: [anyVersionOf('SmokeCheckB8378F13')],
      reason: "Of aws-cdk-lib's provider framework: it may invoke any version of this one function.",
    },
    ...framework.filter((path) => path.startsWith('service/Indexes')).map((path) => ({
      path: `${path}/ServiceRole/DefaultPolicy/Resource`,
      rules: indexHandlers.map(anyVersionOf),
      reason: "Of aws-cdk-lib's provider framework: it may invoke any version of these two functions.",
    })),
    {
      path: 'service/Indexes/Provider/waiter-state-machine/Role/DefaultPolicy/Resource',
      rules: ['IndexesProviderframeworkisCompleteE85E775A', 'IndexesProviderframeworkonTimeout9F339837'].map(anyVersionOf),
      reason: "Of aws-cdk-lib's provider framework: the waiter may invoke any version of its own functions.",
    },
    {
      path: 'service/Indexes/Provider/waiter-state-machine/Resource',
      rules: ['SF1', 'SF2'],
      reason: 'It only calls two functions again and again during a deploy; they log every call, and there is nothing to trace across.',
    },
    {
      path: 'service/Pooler/Task/ExecutionRole/DefaultPolicy/Resource',
      rules: ['IAM5[Resource::*]'],
      reason: 'ecr:GetAuthorizationToken only, which has no resource to be restricted to.',
    },
    {
      path: 'service/Pooler/Task/Resource',
      rules: ['ECS2'],
      reason: "PgBouncer's settings, meant to be read in a diff; the userlist, the only secret, comes from Secrets Manager.",
    },
    {
      path: 'service/Pooler/Balancer/Resource',
      rules: ['ELB2'],
      reason: 'A network load balancer logs TLS listeners only, and this one relays TCP; flow logs of the VPC show who connects.',
    },
    ...(rotates ? [] : secrets).map((path) => ({
      path,
      rules: ['SMG4'],
      reason: 'Rotation is switched off for this environment, with its reason, in environments.ts.',
    })),
    {
      path: 'service/Roles/Userlist/Resource',
      rules: ['SMG4'],
      reason: 'Holds verifiers only, rewritten by bootstrap and rotation whenever a password changes.',
    },
  ];
}
