import type { DrillResult } from '../../drills/drill-result';
import type { Verdict } from '../../load/metrics';
import { applicationRows } from '../application-rows';
import { headline } from '../headline';
import type { IndexedQueryResult, LatencySummary } from '../measurements';
import { renderDrillPlot } from '../plots/drill-plot';
import { renderIndexPlot } from '../plots/index-plot';
import { renderLatencyPlot } from '../plots/latency-plot';
import { renderPoolPlot } from '../plots/pool-plot';
import { renderTopologyPlot } from '../plots/topology-plot';
import type { Check, Report } from '../report';
import { formatNumber } from '../target-table';
import { fidelityData, fidelityTally } from './fidelity-data';

/** The target of the guide for every indexed query. */
const indexedQueryTargetMs = 50;

const verdictClasses: Readonly<Record<Verdict, string>> = { met: 'good', missed: 'bad', extrapolated: 'note', 'limited by this machine': 'warn' };

/** What the page's template shows: words, classes and plots, nothing left to decide. */
export function pageData(report: Report): object {
  const { environment, checks, drills = [], application = [], latencies = [], indexedQueries = [], pool, topology, fidelity, scaled, notProven } = report;
  const { failed, text } = headline(report);
  const sections = [
    { id: 'targets', title: 'Targets', shown: checks.length > 0 },
    { id: 'latency', title: 'Latency', shown: latencies.length > 0 },
    { id: 'indexes', title: 'Indexes', shown: indexedQueries.length > 0 },
    { id: 'pool', title: 'Pooler', shown: pool !== undefined },
    { id: 'application', title: 'Application', shown: application.length > 0 },
    { id: 'drills', title: 'Drills', shown: drills.length > 0 },
    { id: 'topology', title: 'What ran', shown: topology !== undefined },
    { id: 'fidelity', title: 'Fidelity', shown: true },
    { id: 'not-proven', title: 'Not proven', shown: true },
  ];
  return {
    environment,
    headline: text,
    outcome: failed ? 'failed' : 'passed',
    facts: factsOf(report),
    sections: sections.filter(({ shown }) => shown),
    checks: checks.map(checkData),
    compared: checks.some(({ direct }) => direct),
    tally: tallyOf(checks.map(({ verdict }) => verdict)).map(([verdict, count]) => ({ verdict, count, class: verdictClasses[verdict] })),
    latencies: latencies.map((comparison) => ({ title: comparison.title, plot: renderLatencyPlot(comparison) })),
    indexPlot: indexedQueries.length > 0 && renderIndexPlot(indexedQueries, indexedQueryTargetMs),
    indexedQueries: indexedQueries.map(indexedQueryData),
    poolPlot: pool && renderPoolPlot(pool.samples, pool.phases),
    phases: pool?.phases.map(({ title, fromSeconds, toSeconds }) => ({ title, from: Math.round(fromSeconds), to: Math.round(toSeconds) })),
    applications: application.map(({ title }) => title),
    applicationRows: applicationRows(application),
    drills: drills.map(drillData),
    topologyPlot: topology && renderTopologyPlot(topology),
    resourceCount: fidelity.length,
    fidelity: fidelityData(fidelity),
    fidelityTally: fidelityTally(fidelity),
    scaled,
    notProven,
  };
}

function factsOf({ startedAt, durationSeconds, machine }: Report): readonly string[] {
  return [
    `${startedAt.slice(0, 16).replace('T', ' ')} UTC`,
    `took ${Math.floor(durationSeconds / 60)} min ${durationSeconds % 60} s`,
    `${machine.cores} cores, ${(machine.memoryMiB / 1024).toFixed(0)} GiB of memory`,
  ];
}

function checkData({ title, target, measured, unit, verdict, detail, direct }: Check): object {
  return { title, target, unit, verdict, detail, class: verdictClasses[verdict], measured: formatNumber(measured), direct: direct && { ...direct, measured: formatNumber(direct.measured) } };
}

function indexedQueryData({ index, sql, used, plan, pooled, direct }: IndexedQueryResult): object {
  return { index, sql, plan, used: used ? 'uses it' : 'does not use it', class: used ? 'good' : 'bad', pooled: percentiles(pooled), direct: percentiles(direct) };
}

function percentiles({ p95Ms, p99Ms }: LatencySummary): string {
  return `${formatNumber(p95Ms)}, ${formatNumber(p99Ms)}`;
}

function drillData(drill: DrillResult): object {
  const { asExpected, longestSilenceSeconds, recoverySeconds, timeline, events, metrics = [], expected } = drill;
  return {
    ...drill,
    expected: expected.replace(/\.$/, ''),
    class: asExpected ? 'good' : 'bad',
    outcome: asExpected ? 'as expected' : 'not as expected',
    acknowledged: drill.acknowledged.toLocaleString('en-US'),
    longestSilence: formatNumber(longestSilenceSeconds),
    recovery: recoverySeconds === null ? '–' : `${formatNumber(recoverySeconds)} s`,
    plot: timeline.length > 0 && renderDrillPlot(drill),
    events: events.map(({ atSeconds, what, kind }) => ({ what, kind, at: formatNumber(atSeconds) })),
    metrics: metrics.map(({ title, value, unit, limit }) => ({ title, unit, value: formatNumber(value), limit: limit && `${limit.comparison} ${formatNumber(limit.value)}` })),
  };
}

/** How often each occurs, in the order in which they first do. */
function tallyOf<Value extends string>(values: readonly Value[]): readonly (readonly [Value, number])[] {
  return [...new Set(values)].map((value) => [value, values.filter((other) => other === value).length] as const);
}
