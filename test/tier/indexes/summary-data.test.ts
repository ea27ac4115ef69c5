import type { IndexSummary } from '../../../lib/tier/indexes/indexes.contract';
import { failureReason, summaryData } from '../../../lib/tier/indexes/summary-data';

const none: IndexSummary = { valid: [], adopted: [], building: [], progress: [], waits: [], waiting: [], dropping: [], deferred: [], failed: [], drifted: [], leftovers: [], invalid: [], superseded: false };
const many = Array.from({ length: 200 }, (_, number) => `${'ü'.repeat(20)}_${number}: table public.t does not exist`);

describe('what CloudFormation is told', () => {
  it('stays within its 4 KB for 200 indexes, in whole lines', () => {
    const data = summaryData({ ...none, building: many, waiting: many, deferred: many, failed: many, drifted: many }, many);
    expect(Buffer.byteLength(JSON.stringify(data))).toBeLessThan(3600);
    expect(data.Deferred).toMatch(/does not exist; and \d+ more, see the log$/);
  });

  it('holds every problem that fits in the reason of a failure', () => {
    const reason = failureReason('200 of the indexes cannot be built', many);
    expect(Buffer.byteLength(reason)).toBeLessThan(3200);
    expect(reason).toMatch(/^200 of the indexes cannot be built: ü+_0: table .*; and \d+ more, see the log$/);
    expect(failureReason('no', ['a', 'b'])).toBe('no: a; b');
  });

  it('cuts a line that alone is too long between characters', () => {
    expect(failureReason('no', ['ü'.repeat(5000)])).toMatch(/^no: ü+…$/);
  });
});
