import { compareReports, type ComparedFigure } from '../../../lib/rehearsal/compare/compare-reports';
import { madeWorse, renderComparisonMarkdown, renderComparisonText } from '../../../lib/rehearsal/compare/render-comparison';
import type { Check, Report } from '../../../lib/rehearsal/report/report';
import { sampleReport } from '../report/sample-report';

const { drills: sampleDrills = [] } = sampleReport;
const asExpected = sampleDrills.find((drill) => drill.asExpected)!;
const plain: Report = { ...sampleReport, drills: [], indexedQueries: [], application: [], checks: [] };
const reads: Check = { name: 'read-queries', title: 'Read throughput', target: '≥ 10,000', measured: 6000, unit: 'queries/s', verdict: 'limited by this machine' };
const p95: Check = { name: 'indexed-query-p95', title: 'Indexed query, p95', target: '< 50', measured: 4, unit: 'ms', verdict: 'met' };
const failed: Check = { name: 'load-test', title: "The guide's load test", target: '= 0', measured: 0, unit: 'failed', verdict: 'met' };

const runs = (check: Check, ...measured: readonly number[]): readonly Report[] => measured.map((value) => ({ ...plain, checks: [{ ...check, measured: value }] }));
const only = (before: readonly Report[], after: readonly Report[]): ComparedFigure => compareReports(before, after).figures[0]!;

describe('the comparison of rehearsals', () => {
  it('takes a figure that was measured once as uncertain', () => {
    expect(only(runs(reads, 6000), runs(reads, 5000)).judgement).toBe('within noise');
    expect(only(runs(reads, 6000), runs(reads, 4500)).judgement).toBe('worse');
    expect(only(runs(p95, 4), runs(p95, 3)).judgement).toBe('better');
  });

  it('sees a smaller difference where repeats agree, and none where they do not', () => {
    expect(only(runs(reads, 6000, 6050, 5950), runs(reads, 5500, 5550, 5450)).judgement).toBe('worse');
    expect(only(runs(reads, 6000, 7000, 5000), runs(reads, 5500, 6500, 4500)).judgement).toBe('within noise');
    expect(only(runs(reads, 6000, 6050), runs(reads, 5900, 5950)).judgement).toBe('within noise');
  });

  it('knows from the target which way is better', () => {
    expect(only(runs(reads, 1000), runs(reads, 2000)).judgement).toBe('better');
    expect(only(runs(p95, 1), runs(p95, 2)).judgement).toBe('worse');
  });

  it('allows no noise to a count of what must not happen', () => {
    expect(only(runs(failed, 0, 0, 0), runs(failed, 0, 1, 0)).judgement).toBe('worse');
  });

  it('calls a target that is missed now worse, however little the figure moved', () => {
    const missed: Check = { ...p95, verdict: 'missed' };
    const figure = only(runs(p95, 49), runs(missed, 51));
    expect(figure).toMatchObject({ judgement: 'worse', reason: 'the target is < 50 ms' });
    expect(only(runs(missed, 51), runs(missed, 52)).judgement).toBe('within noise');
  });

  it('calls a drill that is no longer as expected worse, and says why', () => {
    const broken = { ...asExpected, asExpected: false, problems: ['silence of any client: 9 s; expected ≤ 2 s'] };
    const comparison = compareReports([{ ...plain, drills: [asExpected] }], [{ ...plain, drills: [broken] }]);
    expect(madeWorse(comparison)).toBe(true);
    expect(renderComparisonText(comparison).split('\n')[0]).toBe(`worse: ${asExpected.title}: not as expected 0 → 1: silence of any client: 9 s; expected ≤ 2 s; 0 better, 2 within noise`);
  });

  it('does not call what was measured on one side only worse, unless it failed', () => {
    expect(madeWorse(compareReports(runs(reads, 1), runs(p95, 4)))).toBe(false);
    expect(madeWorse(compareReports(runs(reads, 1), runs({ ...p95, verdict: 'missed' }, 60)))).toBe(true);
  });

  it('warns of different environments and machines', () => {
    const other = { ...plain, environment: 'staging', machine: { cores: 8, memoryMiB: 1024 } };
    expect(compareReports([plain], [other]).caveats).toEqual(['environments differ: production before, staging after', 'machines differ: 2 cores and 24105 MiB before, 8 cores and 1024 MiB after']);
  });

  it('is a table for a terminal and in Markdown', () => {
    const comparison = compareReports(runs(reads, 6000, 6100), runs(reads, 3000));
    expect(renderComparisonText(comparison)).toMatch(/Read throughput +│ 6,050 ± 182 │ 3,000 ± 300 │ queries\/s │ −50.4 % │ worse/);
    const markdown = renderComparisonMarkdown(comparison);
    expect(markdown).toContain('| Read throughput | 6,050 ± 182 | 3,000 ± 300 | queries/s | −50.4 % | worse |');
    expect(markdown).toContain('**worse: Read throughput 6,050 → 3,000 queries/s; 0 better, 0 within noise**');
    expect(markdown).toContain('- runs: 2 before, 1 after');
  });

  it('compares what each application showed under its own name', () => {
    const [before] = sampleReport.application!;
    const after = { ...before!, requestsPerSecond: 40, checks: before!.checks.map((check) => (check.name === 'pool' ? { ...check, measured: 20, verdict: 'missed' as const } : check)) };
    const { figures } = compareReports([{ ...plain, application: [before!] }], [{ ...plain, application: [after] }]);
    expect(figures.filter(({ judgement }) => judgement === 'worse').map(({ title }) => title)).toEqual([
      'FastAPI, SQLAlchemy 1.4, psycopg2: Connections of its pool',
      'FastAPI, SQLAlchemy 1.4, psycopg2: requests under load',
    ]);
  });
});
