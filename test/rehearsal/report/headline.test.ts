import { headline } from '../../../lib/rehearsal/report/headline';
import { sampleReport } from './sample-report';

const { checks, drills = [] } = sampleReport;
const notMissed = checks.filter(({ verdict }) => verdict !== 'missed');

describe('the first line of a report', () => {
  it('names every target that was missed, with its figures, and every drill that went otherwise than expected', () => {
    expect(headline({ checks, drills })).toEqual({
      failed: true,
      text: 'failed: Indexed query, p95 is 83.1 ms, not < 50; Primary restart: the longest silence was 7.2 s, at most 5 s are expected',
    });
  });

  it('says why a target was missed', () => {
    const missed = { ...notMissed[0]!, verdict: 'missed', measured: 990, detail: '10 were refused' } as const;
    expect(headline({ checks: [missed] }).text).toBe('failed: Concurrent connections is 990 connections, not ≥ 1,000 (10 were refused)');
  });

  it('does not hide what this machine was too small for', () => {
    expect(headline({ checks: notMissed })).toEqual({ failed: false, text: 'passed: none of 3 targets was missed, 1 could not be shown on this machine' });
  });
});
