import type { Check, Report } from '../../../lib/rehearsal/report/report';
import { missedAny } from '../../../lib/rehearsal/report/report';
import { formatNumber, renderNotes, renderTargetTable } from '../../../lib/rehearsal/report/target-table';

const check: Check = { name: 'read-queries', title: 'Read throughput', target: '≥ 10,000', measured: 5825.4, unit: 'queries/s', verdict: 'limited by this machine', detail: 'two cores' };
const report: Report = {
  schemaVersion: 1,
  environment: 'production',
  startedAt: '2026-01-01T00:00:00.000Z',
  durationSeconds: 1,
  machine: { cores: 2, memoryMiB: 1024 },
  checks: [check],
  fidelity: [
    { resourceType: 'AWS::RDS::DBInstance', stackName: 'data', logicalId: 'Primary', fidelity: 'imitated', how: 'PostgreSQL' },
    { resourceType: 'AWS::IAM::Role', stackName: 'data', logicalId: 'Role', fidelity: 'not rehearsed', how: 'there is no IAM' },
  ],
  scaled: ['smaller memory'],
  notProven: ['failover time'],
};

describe('the report of a rehearsal', () => {
  it('shows a target, what was measured and the verdict on one line', () => {
    expect(renderTargetTable([check])).toMatch(/Read throughput.*≥ 10,000.*5,825.*queries\/s.*limited by this machine/);
  });

  it('says how figures came about and what was not rehearsed', () => {
    const notes = renderNotes(report);
    for (const line of ['Read throughput: two cores', 'smaller memory', 'failover time', 'imitated, 1: RDS::DBInstance', 'not rehearsed, 1: IAM::Role']) expect(notes).toContain(`  - ${line}`);
  });

  it.each([
    [0.06071, '0.0607'],
    [5.648, '5.65'],
    [99.8123, '99.8'],
    [1632.4, '1,632'],
  ])('writes %d as %s', (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  it('fails for a missed target only', () => {
    expect(missedAny([check])).toBe(false);
    expect(missedAny([check, { ...check, verdict: 'missed' }])).toBe(true);
  });
});
