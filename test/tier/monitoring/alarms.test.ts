import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { connectionBudget } from '../../../lib/config/connection-budget';
import { environments } from '../../../lib/config/environments';
import { resolveConfig } from '../../../lib/config/resolve-config';
import { indexMetrics } from '../../../lib/tier/indexes/index-metrics';
import { alarmCatalogue } from '../../../lib/tier/monitoring/alarm-catalogue';
import { anchorOf, describeAlarm } from '../../../lib/tier/monitoring/alarms';
import { logFilters } from '../../../lib/tier/monitoring/log-filters';
import { monthlyMetricCount } from '../../../lib/tier/monitoring/metric-catalogue';
import { dashboardRows } from '../../../lib/tier/monitoring/tier-dashboard';
import { synthesizeTier } from '../../synthesize';

const production = resolveConfig('production', environments.production);
const alarms = alarmCatalogue(production);
const find = (id: string) => alarms.find((alarm) => alarm.id === id);
const runbook = readFileSync(join(__dirname, '../../../docs/runbook.md'), 'utf8');
const graphs = dashboardRows(production).flatMap((row) => row.graphs);

describe('alarms', () => {
  it('have ids of their own, and a section of the runbook each', () => {
    expect(new Set(alarms.map(({ id }) => id)).size).toBe(alarms.length);
    const headings = [...runbook.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading!);
    expect([...new Set(alarms.map((alarm) => alarm.runbook))].filter((section) => !headings.includes(section))).toEqual([]);
  });

  it('have thresholds that follow from the configuration', () => {
    const [primary, replica] = connectionBudget(production).instances;
    expect(primary!.total).toBeLessThan(production.database.maxConnections);
    expect(find('primary-connections')).toMatchObject({ threshold: Math.floor(0.6 * primary!.total), statistic: 'Maximum', severity: 'warning' });
    expect(find('primary-connections-critical')).toMatchObject({ threshold: Math.floor(0.8 * primary!.total), statistic: 'Maximum', severity: 'critical' });
    expect(find('replica-1-connections-critical')).toMatchObject({ threshold: Math.floor(0.8 * replica!.total) });
    expect([find('primary-cpu')!.threshold, find('primary-cpu-critical')!.threshold]).toEqual([70, 80]);
    expect(find('primary-load')).toMatchObject({ threshold: 4, statistic: 'Average' });
    expect(find('primary-storage')).toMatchObject({ threshold: 0.15 * 400 * 2 ** 30, comparison: '<', statistic: 'Minimum' });
    expect(find('primary-memory')).toMatchObject({ threshold: 0.1 * 32 * 2 ** 30, comparison: '<' });
    expect(find('pooler-too-few')).toMatchObject({ threshold: 2, comparison: '<', missing: 'breaching' });
    expect(find('primary-credits')).toBeUndefined();
    expect(alarmCatalogue(resolveConfig('development', environments.development)).find(({ id }) => id === 'primary-credits')).toMatchObject({ threshold: 100 });
  });

  it('take silence for trouble where silence is trouble', () => {
    expect(alarms.filter(({ missing }) => missing === 'breaching').map(({ id }) => id)).toEqual([
      'primary-cpu-critical', 'primary-silent', 'replica-1-cpu-critical', 'replica-1-silent', 'replica-1-lag', 'pooler-silent', 'pooler-too-few',
    ]); // prettier-ignore
  });

  it('say what to do first, and link the section', () => {
    expect(describeAlarm(find('primary-blocked')!, 'https://wiki.example/runbook')).toBe(
      'critical: > 5 sessions. First: find who blocks whom with pg_blocking_pids, and end the first of them. https://wiki.example/runbook#sessions-block-each-other',
    );
    expect(anchorOf('The CPU of an instance is busy')).toBe('the-cpu-of-an-instance-is-busy');
  });
});

describe('the monitoring of production', () => {
  const { service, data } = synthesizeTier('production');

  it('has an alarm for each definition, which tells a topic that CloudWatch may publish to', () => {
    expect(Object.keys(service.findResources('AWS::CloudWatch::Alarm'))).toHaveLength(alarms.length);
    const [topic] = Object.keys(service.findResources('AWS::SNS::Topic'));
    for (const { Properties } of Object.values(service.findResources('AWS::CloudWatch::Alarm'))) {
      expect(Properties).toMatchObject({ AlarmActions: [{ Ref: topic }], OKActions: [{ Ref: topic }], AlarmDescription: expect.stringContaining('First: ') });
    }
    expect(JSON.stringify(data.findResources('AWS::KMS::Key'))).toMatch(/"kms:GenerateDataKey\*".{0,200}"cloudwatch\.amazonaws\.com"/);
  });

  it('has a composite alarm over the critical ones', () => {
    const [composite] = Object.values(service.findResources('AWS::CloudWatch::CompositeAlarm'));
    expect(JSON.stringify(composite).match(/ALARM\(/g)).toHaveLength(alarms.filter(({ severity }) => severity === 'critical').length);
  });

  it('counts log lines of every instance and of the pooler, in a namespace of the environment', () => {
    const filters = Object.values(service.findResources('AWS::Logs::MetricFilter'));
    const expected = logFilters.reduce((count, { source }) => count + (source === 'pooler' ? 1 : 2), 0);
    expect(filters).toHaveLength(expected);
    for (const { Properties } of filters) expect(Properties.MetricTransformations[0].MetricNamespace).toBe('BookedBarber/Database/production');
  });

  it('costs what the README says', () => {
    // https://aws.amazon.com/cloudwatch/pricing/
    const dollars = { metric: 0.3, alarm: 0.1, compositeAlarm: 0.5, dashboard: 3 };
    const metrics = monthlyMetricCount(2, 2, Object.keys(indexMetrics).length) + logFilters.length;
    const cost = metrics * dollars.metric + alarms.length * dollars.alarm + dollars.compositeAlarm + dollars.dashboard;
    expect(readFileSync(join(__dirname, '../../../README.md'), 'utf8').replace(/\s+/g, ' ')).toContain(
      `Production has ${metrics} metrics, those counted in logs included, ${alarms.length} alarms, a composite one and a dashboard: about ${Math.round(cost)} USD a month.`,
    );
  });

  it('has a dashboard whose body is JSON of graphs within the page', () => {
    const [dashboard] = Object.values(service.findResources('AWS::CloudWatch::Dashboard'));
    const parts = dashboard!.Properties.DashboardBody['Fn::Join'][1] as readonly unknown[];
    const { widgets } = JSON.parse(parts.map((part) => (typeof part === 'string' ? part : 'token')).join('')) as { widgets: readonly { type: string; x: number; width: number; properties: { metrics?: unknown[]; markdown?: string; annotations?: { horizontal?: { label: string; value: number }[] } } }[] };
    expect(widgets.filter(({ type }) => type === 'metric')).toHaveLength(graphs.length);
    for (const { x, width } of widgets) expect(x + width).toBeLessThanOrEqual(24);
    const questions = widgets.filter(({ type }) => type === 'text').map(({ properties }) => properties.markdown);
    expect(questions).toEqual(['## Are users served?', '## Is the pool full?', '## Is the database saturated?', '## Is a replica behind?', '## What is slow, and what is in the way?']);
    const lines = widgets.flatMap(({ properties }) => (properties.annotations?.horizontal ?? []).map(({ label, value }) => `${label}: ${value}`));
    expect(lines).toEqual(
      expect.arrayContaining(['target of connections at once: 1000', 'target of writes: 1000', 'target of reads: 10000', 'target under normal load: 70', 'target under write load: 5', 'target of indexed queries: 50']),
    );
  });
});
