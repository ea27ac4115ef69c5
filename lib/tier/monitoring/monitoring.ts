import type { IKey } from 'aws-cdk-lib/aws-kms';
import { FilterPattern, type ILogGroup, LogGroup, MetricFilter } from 'aws-cdk-lib/aws-logs';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';

import { budgetedConnections } from '../../config/connection-budget';
import type { ResolvedTierConfig } from '../../config/resolve-config';
import { alarmCatalogue } from './alarm-catalogue';
import { Alarms } from './alarms';
import { CollectorFunction } from './collector-function';
import { DiagnosisFunction } from './diagnosis-function';
import { logFilters, type LogSource } from './log-filters';
import { logMetricsNamespace } from './monitoring.contract';
import type { ObserverFunctionProps } from './observer-function';
import { TierDashboard } from './tier-dashboard';
import type { MetricSubjects } from './tier-metrics';

export interface MonitoringProps {
  readonly config: ResolvedTierConfig;
  readonly observers: Omit<ObserverFunctionProps, 'environmentName' | 'databaseName' | 'poolerService'>;
  readonly subjects: MetricSubjects;
  readonly poolerLogGroup: ILogGroup;
}

/** Collector, report on demand, log metrics, alarms and dashboard of an environment. */
export class Monitoring extends Construct {
  /** Where alarms go. */
  readonly topic: Topic;
  /** What `npm run diagnose` calls. */
  readonly diagnosis: DiagnosisFunction;

  constructor(scope: Construct, id: string, { config, observers, subjects, poolerLogGroup }: MonitoringProps) {
    super(scope, id);
    const { environmentName, monitoring } = config;
    const observer = { ...observers, environmentName, databaseName: config.database.databaseName, poolerService: subjects.poolerService };
    new CollectorFunction(this, 'Collector', { ...observer, budgetedConnections: budgetedConnections(config) });
    this.diagnosis = new DiagnosisFunction(this, 'Diagnosis', { ...observer, instanceIdentifiers: subjects.instanceIdentifiers });

    this.addLogMetrics(environmentName, {
      postgresql: Object.entries(subjects.instanceIdentifiers).map(([name, identifier]) => ({ name, logGroup: LogGroup.fromLogGroupName(this, `Log-${name}`, `/aws/rds/instance/${identifier}/postgresql`) })),
      pooler: [{ name: 'pooler', logGroup: poolerLogGroup }],
    });

    this.topic = this.addTopic(observers.encryptionKey, monitoring.alarmEmails);
    new Alarms(this, 'Alarms', { definitions: alarmCatalogue(config), subjects, topic: this.topic, runbookUrl: monitoring.runbookUrl });
    new TierDashboard(this, 'Dashboard', { config, subjects });
  }

  private addLogMetrics(environmentName: string, logs: Readonly<Record<LogSource, readonly { readonly name: string; readonly logGroup: ILogGroup }[]>>): void {
    for (const { metric, source, terms } of logFilters) {
      for (const { name, logGroup } of logs[source]) {
        new MetricFilter(this, `${metric}-${name}`, {
          logGroup,
          metricNamespace: logMetricsNamespace(environmentName),
          metricName: metric,
          metricValue: '1',
          filterPattern: FilterPattern.allTerms(...terms),
        });
      }
    }
  }

  /** CloudWatch publishes to it with the tier's own key, whose policy lets it: with alias/aws/sns, alarms are lost without a word. */
  private addTopic(masterKey: IKey, emails: readonly string[]): Topic {
    const topic = new Topic(this, 'Alarms-Topic', { displayName: 'Alarms of the database tier', masterKey, enforceSSL: true });
    for (const email of emails) topic.addSubscription(new EmailSubscription(email));
    return topic;
  }
}
