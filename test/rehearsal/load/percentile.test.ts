import { percentile } from '../../../lib/rehearsal/load/percentile';

describe('percentile', () => {
  it('is the smallest value that is not below so many of them', () => {
    const values = [50, 10, 40, 20, 30];
    expect([1, 20, 21, 50, 95, 100].map((percent) => percentile(values, percent))).toEqual([10, 10, 20, 30, 50, 50]);
  });

  it('sorts by number, not by text', () => {
    expect(percentile([9, 10, 100], 100)).toBe(100);
  });

  it('refuses nothing at all', () => {
    expect(() => percentile([], 95)).toThrow('there is no value to take a percentile of');
  });
});
