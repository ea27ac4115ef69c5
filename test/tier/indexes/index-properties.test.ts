import { environments } from '../../../lib/config/environments';
import type { IndexDefinition } from '../../../lib/config/tier-config';
import { catalogueFromProperties, indexProperties } from '../../../lib/tier/indexes/index-properties';

const index = (over: Partial<IndexDefinition>): IndexDefinition => ({ name: 'i', table: 't', definition: '(a)', ...over });

describe('the index catalogue as properties', () => {
  it('shows the SQL of each index under its name', () => {
    expect(indexProperties(environments.production.indexes)).toMatchObject({
      idx_payments_user_date: 'CREATE INDEX idx_payments_user_date ON public.payments (user_id, created_at DESC)',
    });
  });

  it('shows what is retired', () => {
    expect(indexProperties([], [{ name: 'idx_users_phone' }])).toEqual({ Retired_idx_users_phone: 'DROP INDEX public.idx_users_phone' });
  });

  it('reads back exactly, whatever the names and definitions hold', () => {
    const indexes = [
      index({ name: 'plain', unique: true }),
      index({ name: 'Mixed "Case"', schema: 'a.b', table: 'order ON x', definition: "USING gin (a) WHERE b = 'x ON y'" }),
      index({ name: 'select', definition: '(a)\n  INCLUDE (b)' }),
    ];
    const retired = [{ name: 'plain' }, { name: 'O"ld', schema: 'a.b' }];
    expect(catalogueFromProperties({ ServiceToken: 'arn', Wait: 'started', TablesAtOnce: '2', Database: 'h:5432/d', ...indexProperties(indexes, retired) })).toEqual({
      indexes: indexes.map((each) => ({ schema: 'public', unique: false, ...each })),
      retired: [{ name: 'plain', schema: 'public' }, { name: 'O"ld', schema: 'a.b' }],
    });
  });

  it('gives names that fall together, or that are taken, keys of their own', () => {
    expect(Object.keys(indexProperties([index({ name: 'a-b' }), index({ name: 'a b' }), index({ name: 'Wait' })]))).toEqual(['a_b', 'a_b_2', 'Wait_2']);
  });

  it('names every property that is no index', () => {
    expect(() => catalogueFromProperties({ one: 'DROP TABLE t', two: 5 })).toThrow(
      'properties one, two read neither "CREATE [UNIQUE] INDEX name ON schema.table definition" nor "DROP INDEX schema.name"',
    );
  });
});
