import { environments } from '../../../lib/config/environments';
import type { IndexDefinition } from '../../../lib/config/tier-config';
import { indexesFromProperties, indexProblems, indexProperties } from '../../../lib/tier/indexes/index-catalogue';

const index = (over: Partial<IndexDefinition>): IndexDefinition => ({ name: 'i', table: 't', definition: '(a)', ...over });

describe('the index catalogue as properties', () => {
  it('shows the SQL of each index under its name', () => {
    expect(indexProperties(environments.production.indexes)).toMatchObject({
      idx_payments_user_date: 'CREATE INDEX idx_payments_user_date ON public.payments (user_id, created_at DESC)',
    });
  });

  it('reads back exactly, whatever the names and definitions hold', () => {
    const indexes = [
      index({ name: 'plain', unique: true }),
      index({ name: 'Mixed "Case"', schema: 'a.b', table: 'order ON x', definition: "USING gin (a) WHERE b = 'x ON y'" }),
      index({ name: 'select', definition: '(a)\n  INCLUDE (b)' }),
    ];
    expect(indexesFromProperties({ ServiceToken: 'arn', Wait: 'started', Database: 'h:5432/d', ...indexProperties(indexes) })).toEqual(
      indexes.map((each) => ({ schema: 'public', unique: false, ...each })),
    );
  });

  it('gives names that fall together, or that are taken, keys of their own', () => {
    expect(Object.keys(indexProperties([index({ name: 'a-b' }), index({ name: 'a b' }), index({ name: 'Wait' })]))).toEqual(['a_b', 'a_b_2', 'Wait_2']);
  });

  it('names every property that is no index', () => {
    expect(() => indexesFromProperties({ one: 'DROP TABLE t', two: 5 })).toThrow(
      'properties one, two do not read "CREATE [UNIQUE] INDEX name ON schema.table definition"',
    );
  });
});

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

  it('takes one name in two schemas', () => {
    expect(indexProblems([index({}), index({ schema: 'other' })])).toEqual([]);
  });
});
