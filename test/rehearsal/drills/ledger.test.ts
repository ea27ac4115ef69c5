import { Ledger } from '../../../lib/rehearsal/drills/ledger';

/** A ledger whose clock stands at so many seconds. */
function ledgerAt(seconds: number): Ledger {
  return new Ledger(performance.now() - seconds * 1000);
}

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick'] }));
afterEach(() => void jest.useRealTimers());

describe('a ledger', () => {
  it('knows an outcome as unknown only if COMMIT was under way', () => {
    const ledger = new Ledger();
    ledger.fail(0, 1, 'begin', 'gone');
    ledger.fail(0, 2, 'statement', 'gone');
    ledger.fail(1, 3, 'commit', 'gone');
    expect([...ledger.unknown]).toEqual([3]);
    expect(ledger.errorsAfterFirstStatement).toBe(2);
    expect(ledger.mostErrorsOfAClient).toBe(2);
  });

  it('counts errors of a client one after another as one interruption, until it commits', () => {
    const ledger = new Ledger();
    for (const id of [1, 2, 3]) ledger.fail(0, id, 'connect', 'refused');
    ledger.fail(1, 4, 'connect', 'refused');
    expect(ledger.mostInterruptionsOfAClient).toBe(1);
    ledger.commit(0, 5);
    ledger.fail(0, 6, 'connect', 'refused');
    expect(ledger.mostInterruptionsOfAClient).toBe(2);
  });

  it("hides from an application with the kit's retry what failed before the first statement, for ten seconds", () => {
    const ledger = new Ledger();
    ledger.fail(0, 1, 'connect', 'refused');
    jest.advanceTimersByTime(9900);
    ledger.fail(0, 2, 'begin', 'refused');
    expect(ledger.visibleErrors).toBe(0);
    jest.advanceTimersByTime(200);
    ledger.fail(0, 3, 'connect', 'refused');
    expect(ledger.visibleErrors).toBe(1);
    ledger.commit(0, 4);
    ledger.fail(0, 5, 'statement', 'cut');
    expect(ledger.mostVisibleErrorsOfAClient).toBe(2);
  });

  it('measures the longest silence, of a client that still waits too', () => {
    const ledger = new Ledger();
    ledger.begin(0);
    jest.advanceTimersByTime(3000);
    ledger.commit(0, 1);
    ledger.begin(1);
    jest.advanceTimersByTime(5000);
    expect(ledger.longestSilenceSeconds).toBeCloseTo(5);
    ledger.fail(1, 2, 'connect', 'late');
    ledger.end(0);
    ledger.end(1);
    expect(ledger.longestSilenceSeconds).toBeCloseTo(5);
  });

  it('knows when the last of the clients has committed again', () => {
    const ledger = ledgerAt(10);
    ledger.commit(0, 1);
    expect(ledger.allCommittedSince(9, [0, 1])).toBeUndefined();
    ledger.commit(1, 2);
    expect(ledger.allCommittedSince(9, [0, 1])).toBeCloseTo(10, 1);
    expect(ledger.allCommittedSince(20, [0, 1])).toBeUndefined();
  });

  it('knows how long transactions took, of those committed since then', () => {
    const ledger = new Ledger();
    ledger.begin(0);
    jest.advanceTimersByTime(3000);
    ledger.commit(0, 1);
    jest.advanceTimersByTime(2000);
    ledger.begin(0);
    jest.advanceTimersByTime(1000);
    ledger.commit(0, 2);
    expect(ledger.latenciesSince(0)).toEqual([expect.closeTo(3), expect.closeTo(1)]);
    expect(ledger.latenciesSince(4)).toEqual([expect.closeTo(1)]);
  });

  it('counts commits and errors of each second', () => {
    const ledger = ledgerAt(2.5);
    ledger.commit(0, 1);
    ledger.fail(0, 2, 'begin', 'gone');
    expect(ledger.timeline()).toEqual([
      { atSeconds: 0, committed: 0, errors: 0 },
      { atSeconds: 1, committed: 0, errors: 0 },
      { atSeconds: 2, committed: 1, errors: 1 },
    ]);
  });
});
