import { join } from 'node:path';

import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import {
  AwsLogDriverMode,
  Capability,
  ContainerImage,
  CpuArchitecture,
  FargateTaskDefinition,
  LinuxParameters,
  LogDrivers,
  OperatingSystemFamily,
  Secret as EcsSecret,
  UlimitName,
} from 'aws-cdk-lib/aws-ecs';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Duration, Size } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';

import type { ResolvedTierConfig } from '../../config/resolve-config';
import { poolerPort } from '../network/access-list';
import { secretDecryption } from '../secret-decryption';
import { TierLogGroup } from '../tier-log-group';
import { CertificateSecret } from './certificate-secret';
import { drain } from './drain';
import { type PoolerDatabase, renderPoolerDatabase } from './pgbouncer-databases';
import { type ConsoleUsers, renderPgbouncerSettings } from './pgbouncer-settings';
import { poolerContainerName, poolerEnvironment, poolerImageFiles } from './pooler.contract';
import { taskCapacity } from './task-capacity';
import { taskStart } from './task-start';

export interface PoolerTaskProps {
  /** The only secret of the tier that tasks are given: verifiers, no password. */
  readonly userlistSecret: ISecret;
  /** Encrypts that secret, and the logs. */
  readonly encryptionKey: IKey;
  /** Changes with the userlist: a task reads it once, at its start. */
  readonly userlistVersion: string;
  /** What clients may connect to. */
  readonly databases: readonly PoolerDatabase[];
  readonly consoleUsers: ConsoleUsers;
  readonly config: ResolvedTierConfig['pooler'];
}

/** A task with one PgBouncer, on Graviton. */
export class PoolerTask extends FargateTaskDefinition {
  readonly logGroup: TierLogGroup;

  constructor(scope: Construct, id: string, props: PoolerTaskProps) {
    super(scope, id, {
      cpu: props.config.taskCpu,
      memoryLimitMiB: props.config.taskMemoryMiB,
      runtimePlatform: { cpuArchitecture: CpuArchitecture.ARM64, operatingSystemFamily: OperatingSystemFamily.LINUX },
      volumes: [{ name: 'run' }],
    });
    this.logGroup = new TierLogGroup(scope, 'Logs', { encryptionKey: props.encryptionKey });
    const { openFiles } = taskCapacity(props.config);
    const linuxParameters = new LinuxParameters(this, 'Linux');
    linuxParameters.dropCapabilities(Capability.ALL);
    const certificate = props.config.certificateSecret && new CertificateSecret(this, 'Certificate', props.config.certificateSecret);
    const container = this.addContainer(poolerContainerName, {
      // Without the platform, the image would be of whatever machine builds it.
      image: ContainerImage.fromAsset(join(__dirname, '../../../assets/pgbouncer'), { platform: Platform.LINUX_ARM64 }),
      portMappings: [{ containerPort: poolerPort }],
      environment: taskEnvironment(props),
      secrets: { [poolerEnvironment.userlist]: EcsSecret.fromSecretsManager(props.userlistSecret), ...certificate?.variables },
      ulimits: [{ name: UlimitName.NOFILE, softLimit: openFiles, hardLimit: openFiles }],
      readonlyRootFilesystem: true,
      linuxParameters,
      // Two failed checks tell a frozen PgBouncer within 15 s.
      healthCheck: {
        command: ['CMD', `/usr/local/bin/${poolerImageFiles.healthCheck}`],
        interval: Duration.seconds(5),
        // The check gives up by itself, after 1.5 s; this is for one that gets no CPU.
        timeout: Duration.seconds(5),
        retries: 2,
        startPeriod: Duration.seconds(taskStart.healthCheckStartPeriodSeconds),
      },
      stopTimeout: Duration.seconds(drain.stopTimeoutSeconds),
      logging: LogDrivers.awsLogs({
        streamPrefix: poolerContainerName,
        logGroup: this.logGroup,
        // Otherwise PgBouncer, one thread, stands still while CloudWatch cannot be reached.
        mode: AwsLogDriverMode.NON_BLOCKING,
        maxBufferSize: Size.mebibytes(4),
      }),
    });
    for (const key of [props.encryptionKey, ...(certificate?.encryptionKey ? [certificate.encryptionKey] : [])]) {
      this.addToExecutionRolePolicy(secretDecryption(this, key));
    }
    container.addMountPoints({ sourceVolume: 'run', containerPath: '/run/pgbouncer', readOnly: false });
  }
}

/** A variable for each line of the ini, sorted, so that `cdk diff` shows the line that changes. None is a secret. */
function taskEnvironment({
  databases,
  consoleUsers,
  userlistVersion,
  config,
}: PoolerTaskProps): Record<string, string> {
  const {
    databasePrefix,
    settingPrefix,
    drainSeconds,
    finishSeconds,
    requiredDatabases,
    waitSeconds,
    userlistVersion: userlistVersionName,
    clientTlsHost,
    clientTlsAuthorities,
  } = poolerEnvironment;
  const variables = [
    ...databases.map(
      (database) => [`${databasePrefix}${database.alias.toUpperCase()}`, renderPoolerDatabase(database)] as const,
    ),
    ...Object.entries(renderPgbouncerSettings(config, consoleUsers, databases)).map(
      ([name, value]) => [`${settingPrefix}${name.toUpperCase()}`, value] as const,
    ),
    [drainSeconds, `${drain.drainSeconds}`] as const,
    [finishSeconds, `${drain.finishSeconds}`] as const,
    [requiredDatabases, databases.flatMap(({ alias, requiredAtStart }) => (requiredAtStart ? [alias] : [])).join(' ')] as const,
    [waitSeconds, `${taskStart.databaseWaitSeconds}`] as const,
    [userlistVersionName, userlistVersion] as const,
    ...(config.certificateSecret
      ? [[clientTlsHost, config.certificateSecret.hostName] as const, [clientTlsAuthorities, config.certificateSecret.authorities] as const]
      : []),
  ];
  return Object.fromEntries(variables.sort(([a], [b]) => (a < b ? -1 : 1)));
}
