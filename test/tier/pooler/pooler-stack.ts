import { SecurityGroup, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Template } from 'aws-cdk-lib/assertions';
import { Stack } from 'aws-cdk-lib/core';

import { connectionBudget } from '../../../lib/config/connection-budget';
import { environments } from '../../../lib/config/environments';
import { resolveConfig } from '../../../lib/config/resolve-config';
import type { PoolerConfig } from '../../../lib/config/tier-config';
import { Pooler } from '../../../lib/tier/pooler/pooler';
import { roleCatalogue } from '../../../lib/tier/roles/role-catalogue';
import { consoleUsers } from '../../../lib/tier/roles/rotated-secrets';
import { testApp } from '../../synthesize';

export const replicaHosts = ['replica-1.internal', 'replica-2.internal'];

/** The pooler of production, or one changed, alone in a stack with `primary.internal` and one replica behind it. */
export function poolerStack(
  change: PoolerConfig = {},
  readOnlyHosts: readonly string[] = replicaHosts.slice(0, 1),
): Stack {
  const config = resolveConfig('production', {
    ...environments.production,
    pooler: { ...environments.production.pooler, ...change },
  });
  const { poolSizePerTask, readOnlyPoolSizePerTask } = connectionBudget(config);
  const stack = new Stack(testApp(), 'service');
  const vpc = new Vpc(stack, 'Vpc', { natGateways: 1 });
  const subnets = { subnetType: SubnetType.PRIVATE_WITH_EGRESS };
  const database = { databaseName: 'bookedbarber', port: 5432 };
  new Pooler(stack, 'Pooler', {
    vpc,
    taskSubnets: subnets,
    balancerSubnets: subnets,
    taskSecurityGroup: new SecurityGroup(stack, 'Tasks', { vpc, allowAllOutbound: false }),
    balancerSecurityGroup: new SecurityGroup(stack, 'Balancer', { vpc, allowAllOutbound: false }),
    userlistSecret: new Secret(stack, 'Userlist'),
    encryptionKey: new Key(stack, 'Key'),
    userlistVersion: 'version-1',
    databases: [
      { ...database, alias: 'bookedbarber', hosts: ['primary.internal'], maxDbConnections: poolSizePerTask, requiredAtStart: true },
      { ...database, alias: 'bookedbarber_ro', hosts: readOnlyHosts, maxDbConnections: readOnlyPoolSizePerTask, requiredAtStart: false },
    ],
    consoleUsers: consoleUsers(roleCatalogue(config, [])),
    config: config.pooler,
  });
  return stack;
}

export function poolerTemplate(change?: PoolerConfig, readOnlyHosts?: readonly string[]): Template {
  return Template.fromStack(poolerStack(change, readOnlyHosts));
}

/** What the task definition gives the container in plain sight. */
export function containerEnvironment(template: Template): Readonly<Record<string, string>> {
  const [task] = Object.values(template.findResources('AWS::ECS::TaskDefinition')) as {
    Properties: { ContainerDefinitions: { Environment: { Name: string; Value: string }[] }[] };
  }[];
  return Object.fromEntries(
    task!.Properties.ContainerDefinitions[0]!.Environment.map(({ Name, Value }) => [Name, Value]),
  );
}
