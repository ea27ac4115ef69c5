import { environments } from '../../../lib/config/environments';
import type { IndexDefinition } from '../../../lib/config/tier-config';
import { indexProblems } from '../../../lib/tier/indexes/index-catalogue';

const index = (over: Partial<IndexDefinition>): IndexDefinition => ({ name: 'i', table: 't', definition: '(a)', ...over });

describe('indexProblems', () => {
  it('finds none in the environments', () => {
    for (const { indexes } of Object.values(environments)) expect(indexProblems(indexes)).toEqual([]);
  });

  it.each([
    [[index({ name: 'x'.repeat(64) })], /its name is 64 bytes long; PostgreSQL would cut it at 63/],
    [[index({ table: 'ü'.repeat(32) })], /its table is 64 bytes long/],
    [[index({ name: '' })], /its name is empty/],
    [[index({ definition: '  ' })], /its definition is empty; write the columns/],
    [[index({}), index({ definition: '(b)' })], /index "i" stands in the list twice/],
  ])('refuses %j', (indexes, message) => {
    expect(indexProblems(indexes)).toEqual([expect.stringMatching(message)]);
  });

  it('refuses an index that is wanted and retired at once, and names that PostgreSQL would cut', () => {
    expect(indexProblems([index({})], [{ name: 'i' }, { name: 'y'.repeat(70) }, { name: 'i', schema: 'other' }])).toEqual([
      'index "i" is wanted and retired at once; remove it from one of the lists',
      expect.stringMatching(/its name is 70 bytes long/),
    ]);
  });

  it('takes one name in two schemas', () => {
    expect(indexProblems([index({}), index({ schema: 'other' })])).toEqual([]);
  });
});
