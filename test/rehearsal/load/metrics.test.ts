import { findMetric, judge, metrics, targetText } from '../../../lib/rehearsal/load/metrics';

describe('judge', () => {
  const reads = findMetric('read-queries');
  const p95 = findMetric('indexed-query-p95');
  const indexes = findMetric('indexes-valid');

  it.each([
    [reads, 10_000, {}, 'met'],
    [reads, 9999, {}, 'missed'],
    [reads, 9999, { limited: true }, 'limited by this machine'],
    [reads, 10_000, { limited: true }, 'met'],
    [p95, 49.9, {}, 'met'],
    [p95, 50, {}, 'missed'],
    [p95, 49, { extrapolated: true }, 'extrapolated'],
    [p95, 51, { extrapolated: true }, 'missed'],
    [p95, 51, { extrapolated: true, limited: true }, 'limited by this machine'],
    [indexes, 0, {}, 'met'],
    [indexes, 1, {}, 'missed'],
    [reads, 10_000, { aborted: 'query_wait_timeout' }, 'missed'],
    [reads, 9999, { limited: true, aborted: 'query_wait_timeout' }, 'missed'],
  ])('of %o measured as %d under %o is %s', (metric, measured, circumstances, verdict) => {
    expect(judge(metric, measured, circumstances)).toBe(verdict);
  });
});

describe('the metrics', () => {
  it('have the targets of the guide', () => {
    expect(metrics.map((metric) => `${metric.name} ${targetText(metric)} ${metric.unit}`)).toEqual([
      'concurrent-connections ≥ 1,000 connections',
      'sessions ≥ 10,000 sessions',
      'indexed-query-p95 < 50 ms',
      'read-queries ≥ 10,000 queries/s',
      'write-transactions ≥ 1,000 transactions/s',
      'reads-and-writes ≥ 11,000 transactions/s',
      'open-transactions ≥ 20 transactions',
      'connection-reuse ≥ 95 %',
      'connection-overhead < 5 ms',
      'database-cpu < 70 %',
      'indexes-valid = 0 missing',
      'settings = 0 different',
      'collector = 0 not reached',
      'replica-lag ≤ 5 s',
      'load-test = 0 failed',
      'smoke-check = 0 failed',
      'diagnosis = 0 not read',
    ]);
  });
});
