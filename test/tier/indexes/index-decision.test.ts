import { decide, type ObservedIndex } from '../../../lib/tier/indexes/index-decision';
import { canonicalPart } from '../../../lib/tier/indexes/index-sql';

const wanted = { name: 'i', schema: 'public', table: 't', unique: false, definition: '(a)' };
const canonical = 'USING btree (a)';
const missing: ObservedIndex = {
  tableOid: '16384', tableKind: 'r', tableOwner: 'bookedbarber_owner', mayBuild: true, indexOid: null, valid: null, existingDefinition: null, onTable: null,
}; // prettier-ignore
const existing = { ...missing, indexOid: '16390', valid: true, existingDefinition: 'CREATE INDEX i ON public.t USING btree (a)', onTable: true };
const kindOf = (observed: Partial<ObservedIndex>, builderLives = false) => decide(wanted, { ...existing, ...observed }, canonical, builderLives).kind;

describe('decide', () => {
  it.each([
    ['free, missing', { ...missing }, false, 'start'],
    ['held, missing', { ...missing }, true, 'waiting'],
    ['held, INVALID', { valid: false }, true, 'building'],
    ['free, INVALID', { valid: false }, false, 'repair'],
    ['free, VALID', {}, false, 'valid'],
    ['held, VALID', {}, true, 'valid'],
    ['no table', { ...missing, tableOid: null }, false, 'deferred'],
    ['of another table', { onTable: false }, false, 'failed'],
    ['a partitioned table', { ...missing, tableKind: 'p' }, false, 'failed'],
    ['a view', { ...missing, tableKind: 'v' }, false, 'failed'],
    ['a table of somebody else', { ...missing, mayBuild: false }, false, 'failed'],
    ['another definition', { existingDefinition: 'CREATE INDEX i ON public.t USING btree (b)' }, false, 'failed'],
    ['unique, though that was not wanted', { existingDefinition: 'CREATE UNIQUE INDEX i ON public.t USING btree (a)' }, false, 'failed'],
  ])('%s: lock and index say what to do', (_title, observed, builderLives, kind) => {
    expect(kindOf(observed, builderLives)).toBe(kind);
  });

  it('says what an index is and what it should be', () => {
    expect(decide(wanted, { ...existing, existingDefinition: 'CREATE INDEX i ON public.t USING btree (b)' }, canonical, false)).toEqual({
      kind: 'failed',
      problem: 'has the definition "CREATE INDEX i ON public.t USING btree (b)", wanted is "USING btree (a)"; give the new definition a new name, or drop the old index',
    });
  });

  it('writes out what to run for a partitioned table', () => {
    expect(decide(wanted, { ...missing, tableKind: 'p' }, canonical, false)).toMatchObject({
      problem: expect.stringContaining('CREATE INDEX i ON ONLY public.t USING btree (a)'),
    });
  });
});

describe('canonicalPart', () => {
  it.each([
    ['CREATE INDEX i ON public.t USING btree (a)', 'USING btree (a)'],
    ['CREATE UNIQUE INDEX "a ON b USING c" ON "Sch ema"."t USING x" USING gin (a) WHERE (b = \' USING \'::text)', "USING gin (a) WHERE (b = ' USING '::text)"],
    ['CREATE INDEX index_shadow_trial ON pg_temp.index_shadow USING btree (a)', 'USING btree (a)'],
    ['CREATE INDEX i ON ONLY public.t USING btree (a)', 'USING btree (a)'],
  ])('of %s', (definition, expected) => {
    expect(canonicalPart(definition)).toBe(expected);
  });
});
