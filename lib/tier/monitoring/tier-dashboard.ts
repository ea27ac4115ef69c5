import { Color, Dashboard, GraphWidget, type HorizontalAnnotation, type IMetric, PeriodOverride, TextWidget } from 'aws-cdk-lib/aws-cloudwatch';
import { Duration } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';

import { findInstanceClass } from '../../config/instance-classes';
import type { ResolvedTierConfig } from '../../config/resolve-config';
import type { MetricSource } from './alarm-catalogue';
import { metricOf, type MetricSubjects } from './tier-metrics';

interface Graph {
  readonly title: string;
  readonly metrics: readonly { readonly source: MetricSource; readonly statistic: string; readonly label: string }[];
  /** A line that the figure should stay below, or above. */
  readonly lines?: readonly HorizontalAnnotation[];
  /** Left axis; every graph has one unit. */
  readonly unit: string;
}

interface Row {
  /** The question that it answers. */
  readonly question: string;
  readonly graphs: readonly Graph[];
}

/** One page that answers in this order: are users served, is the pool full, is the database saturated, is a replica behind, what is slow. */
export class TierDashboard extends Dashboard {
  constructor(scope: Construct, id: string, { config, subjects }: { readonly config: ResolvedTierConfig; readonly subjects: MetricSubjects }) {
    super(scope, id, { periodOverride: PeriodOverride.AUTO, defaultInterval: Duration.hours(3) });
    for (const { question, graphs } of dashboardRows(config)) {
      this.addWidgets(new TextWidget({ markdown: `## ${question}`, width: 24, height: 1 }));
      this.addWidgets(...graphs.map((graph) => graphWidget(graph, subjects, Math.floor(24 / graphs.length))));
    }
  }
}

function graphWidget({ title, metrics, lines, unit }: Graph, subjects: MetricSubjects, width: number): GraphWidget {
  const left = metrics.map(({ source, statistic, label }): IMetric => metricOf(source, subjects, statistic, Duration.minutes(1)).with({ label }));
  return new GraphWidget({ title, left, leftAnnotations: [...(lines ?? [])], leftYAxis: { min: 0, label: unit, showUnits: false }, width, height: 6 });
}

const target = (value: number, label: string): HorizontalAnnotation => ({ value, label, color: Color.GREEN });
const limit = (value: number, label: string): HorizontalAnnotation => ({ value, label, color: Color.RED });

/** What stands on the page; every metric is one that the collector or AWS emits. */
export function dashboardRows({ database, replicas, pooler }: ResolvedTierConfig): readonly Row[] {
  const aliases = [database.databaseName, `${database.databaseName}_ro`];
  const replicaNames = Object.keys(replicas);
  const instances = ['primary', ...replicaNames];
  const perPool = (name: Extract<MetricSource, { pool: string }>['name'], statistic: string) => aliases.map((pool) => ({ source: { from: 'collector', pool, name }, statistic, label: pool }) as const);
  const perInstance = (name: Extract<MetricSource, { from: 'RDS' }>['name'], statistic: string, of = instances) => of.map((instance) => ({ source: { from: 'RDS', instance, name }, statistic, label: instance }) as const);
  const own = (name: Extract<MetricSource, { from: 'collector'; instance: string }>['name'], statistic: string, of = instances, what?: string) =>
    of.map((instance) => ({ source: { from: 'collector', instance, name }, statistic, label: [instance, what].filter(Boolean).join(', ') }) as const);
  const log = (name: Extract<MetricSource, { from: 'log' }>['name'], label: string) => ({ source: { from: 'log', name }, statistic: 'Sum', label }) as const;
  return [
    {
      question: 'Are users served?',
      graphs: [
        { title: 'Tasks that take connections', unit: 'tasks', metrics: [{ source: { from: 'load balancer', name: 'HealthyHostCount' }, statistic: 'Minimum', label: 'healthy' }, { source: { from: 'load balancer', name: 'UnHealthyHostCount' }, statistic: 'Maximum', label: 'unhealthy' }], lines: [limit(pooler.minTasks, 'fewest tasks')] },
        { title: 'Clients', unit: 'clients', metrics: [{ source: { from: 'collector', name: 'ClientConnections' }, statistic: 'Maximum', label: 'logged in' }], lines: [target(1000, 'target of connections at once'), limit(pooler.maxClientConnections, 'maxClientConnections')] },
        { title: 'Transactions', unit: 'per second', metrics: perPool('TransactionsPerSecond', 'Average'), lines: [target(1000, 'target of writes'), target(10_000, 'target of reads')] },
        { title: 'Refused', unit: 'lines a minute', metrics: [log('PoolerLoginsRefused', 'logins at the pooler'), log('PoolWaitTimeouts', 'no server connection in time'), log('StatementTimeouts', 'statement timeouts')] },
      ],
    },
    {
      question: 'Is the pool full?',
      graphs: [
        { title: 'Server connections at work', unit: '%', metrics: perPool('PoolUse', 'Maximum'), lines: [limit(75, 'alarm')] },
        { title: 'Clients that wait', unit: 'clients', metrics: perPool('ClientsWaiting', 'Maximum') },
        { title: 'Longest wait', unit: 'seconds', metrics: perPool('LongestClientWait', 'Maximum'), lines: [limit(1, 'alarm')] },
        { title: 'CPU of the tasks', unit: '%', metrics: [{ source: { from: 'ECS', name: 'CPUUtilization' }, statistic: 'Average', label: 'tasks' }], lines: [target(pooler.targetCpuPercent, 'autoscaling')] },
      ],
    },
    {
      question: 'Is the database saturated?',
      graphs: [
        { title: 'CPU', unit: '%', metrics: perInstance('CPUUtilization', 'Average'), lines: [target(70, 'target under normal load'), limit(80, 'critical')] },
        { title: 'Load', unit: 'sessions', metrics: perInstance('DBLoad', 'Average'), lines: [limit(findInstanceClass(database.instanceClass)!.vCpus, 'vCPUs of the primary')] },
        { title: 'Connections, of the budget', unit: '%', metrics: own('ConnectionUse', 'Maximum'), lines: [limit(60, 'warning'), limit(80, 'critical')] },
        { title: 'Storage operations that wait', unit: 'operations', metrics: perInstance('DiskQueueDepth', 'Average') },
      ],
    },
    {
      question: 'Is a replica behind?',
      graphs: [
        { title: 'Replica lag (RDS)', unit: 'seconds', metrics: perInstance('ReplicaLag', 'Maximum', replicaNames), lines: [limit(60, 'alarm')] },
        { title: 'Delay of replay', unit: 'seconds', metrics: own('ReplicationDelay', 'Maximum', replicaNames), lines: [target(5, 'target under write load')] },
      ],
    },
    {
      question: 'What is slow, and what is in the way?',
      graphs: [
        { title: 'Query time behind the pooler', unit: 'milliseconds', metrics: perPool('AverageQueryTime', 'Average'), lines: [target(50, 'target of indexed queries')] },
        { title: 'Slow queries', unit: 'lines a minute', metrics: [log('SlowQueries', `over ${database.logMinDurationStatementMs} ms`)] },
        { title: 'Longest transaction', unit: 'seconds', metrics: own('LongestTransaction', 'Maximum') },
        { title: 'Sessions that wait', unit: 'sessions', metrics: [...own('SessionsBlocked', 'Maximum', instances, 'for a lock'), ...own('SessionsWaiting', 'Maximum', instances, 'for anything else')] },
      ],
    },
  ];
}
