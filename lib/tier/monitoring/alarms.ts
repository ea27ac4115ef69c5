import { Alarm, AlarmRule, AlarmState, ComparisonOperator, CompositeAlarm, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Duration } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';

import type { AlarmDefinition } from './alarm-catalogue';
import { metricOf, type MetricSubjects } from './tier-metrics';

export interface AlarmsProps {
  readonly definitions: readonly AlarmDefinition[];
  readonly subjects: MetricSubjects;
  readonly topic: ITopic;
  /** Address of the runbook, to which the anchor of a section is added. */
  readonly runbookUrl: string;
}

/** An alarm for each definition, and one over the critical ones. */
export class Alarms extends Construct {
  readonly degraded: CompositeAlarm;

  constructor(scope: Construct, id: string, { definitions, subjects, topic, runbookUrl }: AlarmsProps) {
    super(scope, id);
    const action = new SnsAction(topic);
    const critical: Alarm[] = [];
    for (const definition of definitions) {
      const { metric, statistic, periodSeconds } = definition;
      const alarm = new Alarm(this, definition.id, {
        metric: metricOf(metric, subjects, statistic, Duration.seconds(periodSeconds)),
        threshold: definition.threshold,
        evaluationPeriods: definition.periods,
        comparisonOperator: definition.comparison === '>' ? ComparisonOperator.GREATER_THAN_THRESHOLD : ComparisonOperator.LESS_THAN_THRESHOLD,
        treatMissingData: definition.missing === 'breaching' ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
        alarmDescription: describeAlarm(definition, runbookUrl),
      });
      alarm.addAlarmAction(action);
      alarm.addOkAction(action);
      if (definition.severity === 'critical') critical.push(alarm);
    }
    this.degraded = new CompositeAlarm(this, 'degraded', {
      alarmRule: AlarmRule.anyOf(...critical.map((alarm) => AlarmRule.fromAlarm(alarm, AlarmState.ALARM))),
      alarmDescription: `The database tier is degraded: users feel it, now or soon. First: see which alarm it is. ${runbookUrl}`,
    });
    this.degraded.addAlarmAction(action);
    this.degraded.addOkAction(action);
  }
}

/** What a person who is woken reads. */
export function describeAlarm({ severity, first, runbook, unit, comparison, threshold }: AlarmDefinition, runbookUrl: string): string {
  return `${severity}: ${comparison} ${Number(threshold.toPrecision(3)).toLocaleString('en-US')} ${unit}. First: ${first}. ${runbookUrl}#${anchorOf(runbook)}`;
}

/** As GitHub and GitLab make it of a heading. */
export function anchorOf(heading: string): string {
  return heading.toLowerCase().replace(/[^\w\- ]/g, '').replace(/ /g, '-');
}
