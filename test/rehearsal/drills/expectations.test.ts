import { describeExpectations, type Figures, unmetExpectations } from '../../../lib/rehearsal/drills/expectations';

const fine: Figures = {
  acknowledged: 100,
  lost: 0,
  unknownOutcomes: 0,
  errors: 0,
  mostErrorsOfAClient: 0,
  mostInterruptionsOfAClient: 0,
  visibleErrors: 0,
  mostVisibleErrorsOfAClient: 0,
  errorsAfterFirstStatement: 0,
  longestSilenceSeconds: 0.2,
  recoverySeconds: 0.5,
};
const backWithin6s = { name: 'logins-back', title: 'log-ins back after', unit: 's', limit: { comparison: '≤' as const, value: 6 } };

describe('expectations', () => {
  it('are one sentence with every figure, lost writes always among them', () => {
    expect(describeExpectations({ recoverySeconds: 2, errors: 0 }, [backWithin6s])).toBe(
      'acknowledged writes lost = 0, errors = 0, until every client commits again ≤ 2 s, log-ins back after ≤ 6 s',
    );
  });

  it('are met by figures within them', () => {
    expect(unmetExpectations({ recoverySeconds: 2 }, fine, [backWithin6s], new Map([['logins-back', 5.2]]))).toEqual([]);
  });

  it.each<[string, Partial<Figures>, string]>([
    ['a lost write', { lost: 1 }, 'acknowledged writes lost: 1; expected = 0'],
    ['a late recovery', { recoverySeconds: 15.24 }, 'until every client commits again: 15.24 s; expected ≤ 2 s'],
    ['none at all', { recoverySeconds: null }, 'until every client commits again: never; expected within 2 s'],
    ['clients that did nothing', { acknowledged: 0 }, 'no client committed anything, so the drill shows nothing'],
  ])('are not met by %s', (_, change, problem) => {
    expect(unmetExpectations({ recoverySeconds: 2 }, { ...fine, ...change }, [], new Map())).toEqual([problem]);
  });

  it('are not met by a figure of the drill that is beyond its limit, or was not measured', () => {
    expect(unmetExpectations({}, fine, [backWithin6s], new Map([['logins-back', 61]]))).toEqual(['log-ins back after: 61 s; expected ≤ 6 s']);
    expect(unmetExpectations({}, fine, [backWithin6s], new Map())).toEqual(['log-ins back after: not measured; expected ≤ 6 s']);
  });

  it('may let writes be lost where that is what the drill reports', () => {
    expect(unmetExpectations({ lost: 'reported' }, { ...fine, lost: 9 }, [], new Map())).toEqual([]);
  });
});
