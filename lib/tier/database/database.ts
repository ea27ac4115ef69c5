import { InstanceType, type ISecurityGroup, type IVpc, type SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import {
  CaCertificate,
  type CfnDBInstance,
  Credentials,
  DatabaseInsightsMode,
  DatabaseInstance,
  DatabaseInstanceEngine,
  DatabaseInstanceReadReplica,
  DatabaseSecret,
  ParameterGroup,
  PerformanceInsightRetention,
  PostgresEngineVersion,
  StorageType,
  SubnetGroup,
} from 'aws-cdk-lib/aws-rds';
import { Duration, RemovalPolicy } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';

import type { ResolvedTierConfig } from '../../config/resolve-config';
import { postgresPort } from '../network/access-list';
import { type InstanceRole, type PostgresParameter, postgresParameters } from './postgres-parameters';

export interface DatabaseProps {
  readonly vpc: IVpc;
  readonly vpcSubnets: SubnetSelection;
  readonly primarySecurityGroup: ISecurityGroup;
  readonly replicaSecurityGroup: ISecurityGroup;
  /** Encrypts storage, insights, logs' source and the master secret. */
  readonly encryptionKey: IKey;
  readonly config: ResolvedTierConfig['database'];
  readonly replicas: ResolvedTierConfig['replicas'];
}

/** The primary, its read replicas and their parameter groups. */
export class Database extends Construct {
  readonly primary: DatabaseInstance;
  /** By the name that the configuration gives each. */
  readonly replicas: Readonly<Record<string, DatabaseInstanceReadReplica>>;
  /** Read by the bootstrap only; every other part has a role of its own. */
  readonly masterSecret: DatabaseSecret;

  constructor(scope: Construct, id: string, private readonly props: DatabaseProps) {
    super(scope, id);
    const { config, vpc, vpcSubnets } = props;
    const retain = config.protection === 'retain';
    const removalPolicy = retain ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;

    const subnetGroup = new SubnetGroup(this, 'Subnets', { vpc, vpcSubnets, description: 'isolated subnets of the database tier', removalPolicy });
    const engine = postgresEngine(config.engineVersion);

    // RDS can manage the master's password itself, but then refuses to create read replicas.
    // https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html#rds-secrets-manager-limitations
    const masterUsername = `${config.databaseName}_master`;
    this.masterSecret = new DatabaseSecret(this, 'MasterSecret', { username: masterUsername, encryptionKey: props.encryptionKey });
    this.masterSecret.applyRemovalPolicy(removalPolicy);

    this.primary = new DatabaseInstance(this, 'Primary', {
      ...this.common(),
      engine,
      instanceType: new InstanceType(config.instanceClass),
      instanceIdentifier: config.instanceIdentifier,
      databaseName: config.databaseName,
      // The name is a literal: read from the secret, a new version of it could replace the instance.
      credentials: Credentials.fromSecret(this.masterSecret, masterUsername),
      subnetGroup,
      securityGroups: [props.primarySecurityGroup],
      parameterGroup: this.parameterGroup('PrimaryParameters', { role: 'primary' }),
      multiAz: config.multiAz,
      storageEncrypted: true,
      storageEncryptionKey: props.encryptionKey,
      allocatedStorage: config.storage.sizeGiB,
      backupRetention: Duration.days(config.backupRetentionDays),
      preferredBackupWindow: config.backupWindow,
      deleteAutomatedBackups: !retain,
      deletionProtection: retain,
      removalPolicy,
    });

    this.replicas = Object.fromEntries(
      Object.entries(props.replicas).map(([name, replica]) => {
        const instance = new DatabaseInstanceReadReplica(this, `Replica-${name}`, {
          ...this.common(),
          sourceDatabaseInstance: this.primary,
          instanceType: new InstanceType(replica.instanceClass),
          instanceIdentifier: replica.instanceIdentifier,
          subnetGroup,
          securityGroups: [props.replicaSecurityGroup],
          parameterGroup: this.parameterGroup(`Replica-${name}-Parameters`, { role: 'replica', maxConnections: replica.maxConnections }),
          multiAz: false,
          // A replica holds nothing of its own: retained, it would be billed on with nobody to look after it.
          deletionProtection: false,
          removalPolicy: RemovalPolicy.DESTROY,
        });
        // The construct has no property for it: https://github.com/aws/aws-cdk/issues/26755
        (instance.node.defaultChild as CfnDBInstance).engineVersion = replica.engineVersion;
        return [name, instance];
      }),
    );
  }

  /** What primary and replicas share. */
  private common() {
    const { config, vpc, encryptionKey } = this.props;
    const advanced = config.databaseInsights === 'advanced';
    return {
      vpc,
      port: postgresPort,
      publiclyAccessible: false,
      caCertificate: CaCertificate.RDS_CA_RSA2048_G1,
      storageType: StorageType.GP3,
      iops: config.storage.iops,
      storageThroughput: config.storage.throughputMiBps,
      maxAllocatedStorage: config.storage.maxSizeGiB,
      copyTagsToSnapshot: true,
      preferredMaintenanceWindow: config.maintenanceWindow,
      // The version is pinned here, replica first: an upgrade on its own would undo that order.
      autoMinorVersionUpgrade: false,
      monitoringInterval: Duration.seconds(config.enhancedMonitoringSeconds),
      enablePerformanceInsights: true,
      databaseInsightsMode: advanced ? DatabaseInsightsMode.ADVANCED : DatabaseInsightsMode.STANDARD,
      performanceInsightRetention: advanced ? PerformanceInsightRetention.MONTHS_15 : PerformanceInsightRetention.DEFAULT,
      performanceInsightEncryptionKey: encryptionKey,
      cloudwatchLogsExports: ['postgresql', 'upgrade'],
      // Makes the log groups: RDS itself would only with the first line, too late for metric filters.
      cloudwatchLogsRetention: config.logRetentionDays as RetentionDays,
    };
  }

  private parameterGroup(id: string, instance: InstanceRole): ParameterGroup {
    const parameters = postgresParameters(this.props.config, instance);
    return new ParameterGroup(this, id, {
      engine: postgresEngine(this.props.config.engineVersion),
      description: `${instance.role} of the database tier`,
      parameters: Object.fromEntries(parameters.map(({ name, value }: PostgresParameter) => [name, value])),
    });
  }
}

function postgresEngine(version: string) {
  return DatabaseInstanceEngine.postgres({ version: PostgresEngineVersion.of(version, version.split('.')[0]!) });
}
