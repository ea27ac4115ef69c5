import { latencyCurve, latencySummary } from '../../../lib/rehearsal/load/latency-curve';

const thousand = Array.from({ length: 1000 }, (_, index) => index + 1);

describe('latencyCurve', () => {
  it('goes from the fastest to the slowest thousandth, and takes the median of runs', () => {
    const { points } = latencyCurve('pooled', [thousand, thousand.map((ms) => ms * 2), thousand.map((ms) => ms * 3)]);
    const at = (wanted: number) => points.find(({ percent }) => Math.abs(percent - wanted) < 1e-6)?.ms;
    expect([at(0), at(90), at(99)]).toEqual([2, 1800, 1980]);
    expect(points.at(-1)!.percent).toBeCloseTo(99.9);
    expect(points.map(({ ms }) => ms)).toEqual(points.map(({ ms }) => ms).sort((a, b) => a - b));
  });

  it('sums a load up', () => {
    expect(latencySummary(thousand)).toEqual({ p50Ms: 500, p95Ms: 950, p99Ms: 990 });
  });
});
