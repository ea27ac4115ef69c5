import type { ResolvedTierConfig } from '../../config/resolve-config';
import { type Acknowledgement, inlinePolicy, managedPolicy, nist, solutions } from './acknowledgement';

/** What is accepted in the data stack. */
export function dataAcknowledgements(config: ResolvedTierConfig): readonly Acknowledgement[] {
  return [...primary(config), ...replicas(config), ...instances(config), ...network(config), ...logRetention];
}

function primary({ database, environmentName }: ResolvedTierConfig): readonly Acknowledgement[] {
  const path = 'data/Database/Primary/Resource';
  const { protection, backupRetentionDays } = database;
  return [
    {
      path: 'data/Database/MasterSecret/Resource',
      rules: [...solutions('SMG4'), ...nist('SecretsManagerRotationEnabled')],
      reason: "Nobody logs in with it but the bootstrap, the only one that may read it and its key; CloudTrail records each read. RDS cannot rotate it for an instance with replicas, and ours would have to change the master with the master's own rights.",
    },
    {
      path,
      rules: nist('RDSInBackupPlan'),
      reason: `Backed up by RDS itself: a snapshot a day and every moment of ${backupRetentionDays} days, which a guard demands at each synth. A plan of AWS Backup would take over the retention and the window that this template sets.`,
    },
    // Production without a standby must be judged when somebody wants it.
    ...(database.multiAz || environmentName === 'production'
      ? []
      : [
          {
            path,
            rules: [...solutions('RDS3'), ...nist('RDSMultiAZSupport')],
            reason: `multiAz is off in ${environmentName}, which serves no customers: an outage of its zone is answered by a restore into another one, from the backups of ${backupRetentionDays} days.`,
          },
        ]),
    ...(protection === 'retain'
      ? []
      : [
          {
            path,
            rules: [...solutions('RDS10'), ...nist('RDSInstanceDeletionProtectionEnabled')],
            reason: `Declared disposable in environments.ts: ${protection.disposable}. Wherever that is not declared, a guard demands deletion protection at each synth.`,
          },
        ]),
  ];
}

function replicas(config: ResolvedTierConfig): readonly Acknowledgement[] {
  return Object.keys(config.replicas).flatMap((name) => {
    const path = `data/Database/Replica-${name}/Resource`;
    return [
      {
        path,
        rules: [...solutions('RDS2'), ...nist('RDSStorageEncrypted')],
        reason: 'RDS encrypts a replica as its source, with the same key, and takes no property for it; a guard demands encryption of the source at each synth.',
      },
      {
        path,
        rules: [...solutions('RDS3', 'RDS10'), ...nist('RDSMultiAZSupport', 'RDSInstanceDeletionProtectionEnabled', 'RDSInBackupPlan')],
        reason: 'Holds nothing that its source does not, whose backups and protection count for it, and is made anew from it. Alarms on its lag and on its silence tell when it is gone; one with users is reviewed as downtime when it is removed.',
      },
    ];
  });
}

function instances({ database, replicas: named }: ResolvedTierConfig): readonly Acknowledgement[] {
  const paths = ['Primary', ...Object.keys(named).map((name) => `Replica-${name}`)].map((id) => `data/Database/${id}`);
  return paths.flatMap((path) => [
    {
      path: `${path}/Resource`,
      rules: solutions('RDS11'),
      reason: 'Reachable from named security groups inside the VPC only, over TLS and with SCRAM; another port would hide nothing from them and surprise every tool.',
    },
    database.enhancedMonitoringSeconds > 0
      ? {
          path: `${path}/MonitoringRole/Resource`,
          rules: solutions(managedPolicy('AmazonRDSEnhancedMonitoringRole')),
          reason: 'The policy that RDS documents for enhanced monitoring: it may write the log group RDSOSMetrics, and RDS alone may assume the role.',
        }
      : {
          path: `${path}/Resource`,
          rules: nist('RDSEnhancedMonitoringEnabled'),
          reason: "enhancedMonitoringSeconds is 0 in this environment: RDS's own metrics, Database Insights and the tier's collector watch CPU, memory, storage and sessions, with an alarm on each.",
        },
  ]);
}

function network({ network: { egress } }: ResolvedTierConfig): readonly Acknowledgement[] {
  const flowLog = inlinePolicy('data/Network/Vpc/FlowLog/IAMRole', 'flow logs are written to their own log group');
  if (egress === 'interface-endpoints') return [flowLog];
  const routes = [1, 2].map((zone) => ({
    path: `data/Network/Vpc/publicSubnet${zone}/DefaultRoute`,
    rules: nist('VPCNoUnrestrictedRouteToIGW'),
    reason: "The way out of the NAT gateways, which nothing can be reached through from outside and which stand alone in this subnet. Databases, tasks and functions are in subnets without it; a guard refuses a database that is not.",
  }));
  return [flowLog, ...routes];
}

const logRetentionRole = 'data/LogRetentionaae0aa3c5b4d4f87b02d85b201efdd8a/ServiceRole';
/** Of the function that aws-cdk-lib makes for the log groups of RDS. */
const logRetention: readonly Acknowledgement[] = [
  {
    path: `${logRetentionRole}/Resource`,
    rules: solutions(managedPolicy('AWSLambdaBasicExecutionRole')),
    reason: 'The policy that Lambda documents for a function that writes its own log, and no more than that.',
  },
  {
    path: `${logRetentionRole}/DefaultPolicy/Resource`,
    rules: solutions('IAM5[Resource::*]'),
    reason: 'logs:PutRetentionPolicy and DeleteRetentionPolicy only: it decides how long lines are kept, and reads none. RDS names its log groups after the instances, whose names exist only at the deploy.',
  },
  inlinePolicy(logRetentionRole, 'the retention of log groups is set'),
];
