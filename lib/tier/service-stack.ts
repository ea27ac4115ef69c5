import { Key } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { CfnOutput, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';

import { configurationHash } from '../config/configuration-hash';
import { connectionBudget } from '../config/connection-budget';
import { findInstanceClass } from '../config/instance-classes';
import type { ResolvedTierConfig } from '../config/resolve-config';
import type { DataStack } from './data-stack';
import { connectionUrl } from './endpoints/connection-url';
import { Endpoints } from './endpoints/endpoints';
import { IndexMigrations } from './indexes/index-migrations';
import { Monitoring } from './monitoring/monitoring';
import { poolerPort, postgresPort } from './network/access-list';
import { Pooler } from './pooler/pooler';
import { DatabaseRoles } from './roles/database-roles';
import { PasswordRotation } from './roles/password-rotation';
import { roleCatalogue } from './roles/role-catalogue';
import { consoleUsers } from './roles/rotated-secrets';
import { SmokeCheck } from './smoke-check/smoke-check';

export interface ServiceStackProps extends StackProps {
  readonly config: ResolvedTierConfig;
  readonly data: DataStack;
}

/** What can be rebuilt: roles, pooler, indexes and monitoring. A failure here never rolls a database back. */
export class ServiceStack extends Stack {
  constructor(scope: Construct, id: string, props: ServiceStackProps) {
    super(scope, id, props);
    const { config, data } = props;
    const { network, database } = data;
    const { vpc, serviceSubnets } = network;
    const { securityGroups } = data.access;
    const databaseName = config.database.databaseName;
    const { certificateSecret } = config.pooler;
    const primary = { host: database.primary.dbInstanceEndpointAddress, port: postgresPort, name: databaseName };

    // Imported by ARN: a grant on the constructs themselves would edit the key's policy in the data stack, which
    // would then need roles of this stack, which needs the data stack.
    const encryptionKey = Key.fromKeyArn(this, 'Key', data.encryptionKey.keyArn);
    const masterSecret = Secret.fromSecretAttributes(this, 'MasterSecret', {
      secretCompleteArn: database.masterSecret.secretArn,
      encryptionKey,
    });

    const roles = new DatabaseRoles(this, 'Roles', {
      network: { vpc, vpcSubnets: serviceSubnets, securityGroup: securityGroups.bootstrap },
      database: primary,
      masterSecret,
      encryptionKey,
      secretsRemovalPolicy: config.database.protection === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      config,
    });

    const budget = connectionBudget(config);
    const readOnlyAlias = `${databaseName}_ro`;
    const inUse = Object.entries(database.replicas).filter(([name]) => !config.replicas[name]!.retiring);
    const pooler = new Pooler(this, 'Pooler', {
      vpc,
      taskSubnets: serviceSubnets,
      balancerSubnets: serviceSubnets,
      taskSecurityGroup: securityGroups.pooler,
      balancerSecurityGroup: securityGroups.balancer,
      userlistSecret: roles.userlistSecret,
      encryptionKey,
      userlistVersion: roles.userlistVersion,
      databases: [
        { alias: databaseName, hosts: [primary.host], port: postgresPort, databaseName, maxDbConnections: budget.poolSizePerTask, requiredAtStart: true },
        {
          alias: readOnlyAlias,
          hosts: inUse.map(([, replica]) => replica.dbInstanceEndpointAddress),
          port: postgresPort,
          databaseName,
          maxDbConnections: budget.readOnlyPoolSizePerTask,
          requiredAtStart: false,
        },
      ],
      consoleUsers: consoleUsers(roleCatalogue(config, [])),
      config: config.pooler,
    });
    // A task that starts before its roles exist finds an empty userlist and refuses to run.
    pooler.node.addDependency(roles.ready);

    if ('everyDays' in config.roles.passwordRotation) {
      const rotation = new PasswordRotation(this, 'Rotation', {
        network: { vpc, vpcSubnets: serviceSubnets, securityGroup: securityGroups.rotation },
        database: primary,
        poolerDatabases: [databaseName, readOnlyAlias],
        poolerService: pooler.service,
        secrets: roles.secrets,
        userlistSecret: roles.userlistSecret,
        encryptionKey,
        everyDays: config.roles.passwordRotation.everyDays,
        config,
        poolerVerification: certificateSecret,
      });
      rotation.node.addDependency(roles.ready);
    }

    const instances = Object.entries({ primary: database.primary, ...database.replicas });
    const instanceIdentifiers = Object.fromEntries(instances.map(([name, instance]) => [name, instance.instanceIdentifier]));
    const instanceHosts = Object.fromEntries(instances.map(([name, instance]) => [name, instance.dbInstanceEndpointAddress]));
    const indexes = new IndexMigrations(this, 'Indexes', {
      network: { vpc, vpcSubnets: serviceSubnets, securityGroup: securityGroups.indexes },
      database: primary,
      secret: roles.secrets.indexes,
      encryptionKey,
      instanceIdentifiers: Object.values(instanceIdentifiers),
      indexes: config.indexes,
      retired: config.retiredIndexes,
      tablesAtOnce: config.indexTablesAtOnce,
      vCpus: findInstanceClass(config.database.instanceClass)!.vCpus,
      wait: config.indexWait,
      environmentName: config.environmentName,
    });
    indexes.node.addDependency(roles.ready);

    const monitoring = new Monitoring(this, 'Monitoring', {
      config,
      observers: {
        network: { vpc, vpcSubnets: serviceSubnets, securityGroup: securityGroups.collector },
        instanceHosts,
        secret: roles.secrets.collector,
        encryptionKey,
        poolerVerification: certificateSecret,
      },
      subjects: {
        environmentName: config.environmentName,
        instanceIdentifiers,
        poolerService: pooler.service,
        loadBalancer: pooler.balancer,
        targetGroup: pooler.balancer.targetGroup,
      },
      poolerLogGroup: pooler.task.logGroup,
    });
    // Before that, its role does not exist.
    monitoring.node.addDependency(roles.ready);

    const smokeCheck = new SmokeCheck(this, 'SmokeCheck', {
      network: { vpc, vpcSubnets: serviceSubnets, securityGroup: securityGroups.smokeCheck },
      pooler: { host: pooler.endpointHost, port: poolerPort, database: databaseName, readOnlyDatabase: readOnlyAlias },
      secret: roles.secrets.application,
      encryptionKey,
      instanceIdentifiers: Object.values(instanceIdentifiers),
      // By the balancer's own name: the DNS record of the other one may not be there yet.
      poolerVerification: certificateSecret,
      proves: { taskDefinition: pooler.task.taskDefinitionArn, configuration: configurationHash(config), instances: Object.values(instanceHosts).join(',') },
    });
    // The last of all: what is green has been proven as a whole.
    smokeCheck.proof.node.addDependency(pooler, roles.ready, indexes, monitoring);

    new CfnOutput(this, 'ConnectionBudget', {
      value: budget.instances.map(({ instance, total, maxConnections }) => `${instance}: ${total} of ${maxConnections}`).join('; '),
      description: 'Connections to each instance at worst, and its max_connections; npm run capacity shows who',
    });

    const pooled = certificateSecret
      ? ({ host: certificateSecret.hostName, port: poolerPort, sslmode: 'verify-full' } as const)
      : ({ host: pooler.endpointHost, port: poolerPort, sslmode: 'require' } as const);
    new Endpoints(this, 'Endpoints', {
      parameterPrefix: `/bookedbarber/${config.environmentName}`,
      verifiedPooler: certificateSecret && { authorities: certificateSecret.authorities, balancerHost: pooler.endpointHost },
      values: {
        DATABASE_URL: {
          value: connectionUrl({ ...pooled, database: databaseName }),
          description: 'Reads and writes, pooled by transaction; user and password are in APPLICATION_SECRET_ARN',
        },
        READ_REPLICA_URL: {
          value: connectionUrl({ ...pooled, database: readOnlyAlias }),
          description: 'Reads from the replicas, pooled by transaction; may be some seconds behind',
        },
        MIGRATIONS_DATABASE_URL: {
          value: connectionUrl({ host: primary.host, port: primary.port, database: databaseName, sslmode: 'verify-full' }),
          description: 'The primary itself, for schema migrations; user and password are in MIGRATIONS_SECRET_ARN',
        },
        APPLICATION_SECRET_ARN: { value: roles.secrets.application.secretArn, description: 'Secret of the application' },
        READ_ONLY_SECRET_ARN: { value: roles.secrets.readOnly.secretArn, description: 'Secret for reports and people who only read' },
        MIGRATIONS_SECRET_ARN: { value: roles.secrets.migrations.secretArn, description: 'Secret of schema migrations' },
        POOLER_ADMIN_SECRET_ARN: { value: roles.secrets.poolerAdmin.secretArn, description: "Secret of the pooler's admin console" },
        DIAGNOSIS_FUNCTION_NAME: { value: monitoring.diagnosis.functionName, description: 'Function that npm run diagnose calls' },
      },
    });
  }
}
