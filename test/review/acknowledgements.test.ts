import { acknowledge, parseAcknowledgements } from '../../lib/review/acknowledgements';
import type { Finding } from '../../lib/review/impact';

const finding: Finding = { environment: 'production', stack: 'bookedbarber-production-data', logicalId: 'Primary', resourceType: 'AWS::RDS::DBInstance', name: 'Database/Primary', section: 'state', impact: 'data loss', what: 'replaced', atDeploy: 'made anew' };
const entry = { logicalId: 'Primary', reason: 'the seed job fills it again' };

describe('an acknowledgement', () => {
  it('counts where it is new', () => {
    expect(acknowledge([finding], [], [entry])).toEqual({ findings: [{ ...finding, acknowledged: entry.reason }], remarks: [] });
  });

  it('is stale, and counts no more, once the base has it', () => {
    expect(acknowledge([finding], [entry], [entry])).toEqual({
      findings: [finding],
      remarks: ['review-acknowledgements.json: the entry for Primary is stale: BASE has it already, so it was for another change; remove it'],
    });
  });

  it('is told where it acknowledges nothing', () => {
    expect(acknowledge([{ ...finding, impact: 'no interruption' }], [], [entry])).toEqual({
      findings: [{ ...finding, impact: 'no interruption' }],
      remarks: ['review-acknowledgements.json: the entry for Primary acknowledges nothing; this change puts no such resource at risk'],
    });
  });

  it('needs a logical id and a sentence, and each that has not is named', () => {
    expect(() => parseAcknowledgements('[{ "logicalId": "A" }, { "logicalId": "B", "reason": "because" }]', 'main')).toThrow(
      'review-acknowledgements.json of main: entry 1 needs a "logicalId" and a "reason" of a sentence: {"logicalId":"A"}; entry 2 needs a "logicalId" and a "reason" of a sentence: {"logicalId":"B","reason":"because"}',
    );
    expect(() => parseAcknowledgements('{', 'main')).toThrow('review-acknowledgements.json of main is not JSON');
  });
});
