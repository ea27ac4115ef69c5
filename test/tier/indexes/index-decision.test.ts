import type { BuildRecord } from '../../../lib/tier/indexes/build-history';
import { decide, type Evidence } from '../../../lib/tier/indexes/index-decision';
import type { ObservedIndex, ObservedTable } from '../../../lib/tier/indexes/index-observation';
import { builtBesideComment, builtHereComment, replacedComment } from '../../../lib/tier/indexes/index-ownership';
import { canonicalPart } from '../../../lib/tier/indexes/index-sql';

const wanted = { name: 'i', schema: 'public', table: 't', unique: false, definition: '(a)' };
const table: ObservedTable = { oid: '1', kind: 'r', columns: '', owner: 'owner', role: 'builder', mayBuild: true, mayCreateInSchema: true, lockedByOthers: false, locked: false };
const trial = { canonical: 'USING btree (a)', holdsOthersBack: false, columns: ['a'], keyCount: 1, predicate: null };
const partitioning = { key: 'RANGE (day)', keyColumns: ['day'], partitions: [] };
const existing = (over: Partial<ObservedIndex> = {}): ObservedIndex => ({
  oid: '10', schema: 'public', name: 'i', tableOid: '1', table: 't', unique: false, deferrable: false, valid: true, definition: 'USING btree (a)', comment: builtHereComment,
  constraint: null, replicaIdentity: false, attached: false, bytes: 8192, ...over,
}); // prettier-ignore
const record = (over: Partial<BuildRecord> = {}): BuildRecord => ({ definition: 'USING btree (a)', generation: 5, attempts: 1, finished: false, seconds: null, problem: null, hopeless: false, ...over });
const evidence = (over: Partial<Evidence> = {}): Evidence => ({ index: wanted, table, trial, indexes: [], taken: new Map(), retired: new Set(), wanted: new Set(['i']), builderLives: false, record: undefined, generation: 5, ...over });
const other = { definition: 'USING btree (b)' };

describe('decide', () => {
  it.each<[string, Partial<Evidence>, object]>([
    ['free, missing', {}, { kind: 'build', as: 'i' }],
    ['held, missing', { builderLives: true }, { kind: 'waiting' }],
    ['held, INVALID', { indexes: [existing({ valid: false })], builderLives: true }, { kind: 'building' }],
    ['free, INVALID', { indexes: [existing({ valid: false })] }, { kind: 'build', as: 'i', remains: { oid: '10' } }],
    ['free, VALID', { indexes: [existing()] }, { kind: 'valid' }],
    ['held, VALID', { indexes: [existing()], builderLives: true }, { kind: 'valid' }],
    ['no table', { table: undefined }, { kind: 'deferred' }],
    ['INVALID while somebody without the lock works on the table', { indexes: [existing({ valid: false })], table: { ...table, lockedByOthers: true } }, { kind: 'waiting' }],
    ['missing while somebody without the lock works on the table', { table: { ...table, lockedByOthers: true } }, { kind: 'waiting' }],
    ['DDL has the table', { table: { ...table, locked: true } }, { kind: 'waiting' }],
    ['the same under another name', { indexes: [existing({ name: 'other' })] }, { kind: 'valid', as: 'other' }],
    ['the same under another name, but INVALID', { indexes: [existing({ name: 'other', valid: false })] }, { kind: 'build', as: 'i' }],
    ['the same under another name, but unique', { indexes: [existing({ name: 'other', unique: true })] }, { kind: 'build', as: 'i' }],
    ['the same under another name, but of a deferrable constraint', { index: { ...wanted, unique: true }, indexes: [existing({ name: 'other', unique: true, deferrable: true })] }, { kind: 'build', as: 'i' }],
    ['the same under a name that is to be dropped', { indexes: [existing({ name: 'other' })], retired: new Set(['other']) }, { kind: 'build', as: 'i' }],
    ['built by hand on a partitioned table', { table: { ...table, kind: 'p', partitioning }, indexes: [existing()] }, { kind: 'valid' }],
    ['another definition', { indexes: [existing(other)] }, { kind: 'build', as: 'i_new' }],
    ['unique, though that was not wanted', { indexes: [existing({ unique: true })] }, { kind: 'build', as: 'i_new' }],
    ['another definition, the new one is being built', { indexes: [existing(other), existing({ name: 'i_new', oid: '11', valid: false })], builderLives: true }, { kind: 'building', unfinished: { oid: '11' } }],
    ['another definition, the new one died', { indexes: [existing(other), existing({ name: 'i_new', oid: '11', valid: false })] }, { kind: 'build', as: 'i_new', remains: { oid: '11' } }],
    ['another definition, the new one is VALID', { indexes: [existing(other), existing({ name: 'i_new', oid: '11' })] }, { kind: 'swap', aside: 'i_old', current: { oid: '10' }, replacement: { oid: '11' } }],
    ['another definition, beside it that of a change that was given up', { indexes: [existing(other), existing({ name: 'i_new', oid: '11', definition: 'USING btree (c)', comment: builtBesideComment })] }, { kind: 'build', as: 'i_new', remains: { oid: '11' } }],
    ['a change that was rolled back', { indexes: [existing(other), existing({ name: 'i_old', oid: '11', comment: replacedComment(5) })] }, { kind: 'swap', aside: 'i_old', current: { oid: '10' }, replacement: { oid: '11' } }],
    ['INVALID with another definition', { indexes: [existing({ ...other, valid: false })] }, { kind: 'build', as: 'i', remains: { oid: '10' } }],
    ['dropped by somebody since this deploy', { record: record({ finished: true }) }, { kind: 'drifted' }],
    ['dropped by somebody before this deploy', { record: record({ finished: true, generation: 4 }) }, { kind: 'build' }],
    ['changed by somebody since this deploy', { record: record({ finished: true }), indexes: [existing(other)] }, { kind: 'drifted' }],
    ['died twice', { record: record({ attempts: 2 }) }, { kind: 'build' }],
    ['died three times', { record: record({ attempts: 3 }), indexes: [existing({ valid: false })] }, { kind: 'failed', remains: { oid: '10' } }],
    ['died three times in an earlier deploy', { record: record({ attempts: 3, generation: 4 }) }, { kind: 'build' }],
    ['failed for good', { record: record({ hopeless: true, problem: 'duplicates' }) }, { kind: 'failed', problem: 'duplicates' }],
    ['failed for good with another definition', { record: record({ hopeless: true, definition: 'UNIQUE USING btree (a)' }) }, { kind: 'build' }],
  ])('%s', (_title, over, decision) => {
    expect(decide(evidence(over))).toMatchObject(decision);
  });

  it.each<[string, Partial<Evidence>, RegExp]>([
    ['an index of another table', { indexes: [existing({ tableOid: '2', table: 'u' })] }, /^its name is taken by an index of public\.u; rename one of them$/],
    ['something else', { taken: new Map([['i', 'a sequence']]) }, /^its name is taken by a sequence; rename one of them$/],
    ['a view', { table: { ...table, kind: 'v' } }, /^public\.t is a view; index the table that it is made from$/],
    ['a table of somebody else', { table: { ...table, mayBuild: false } }, /^public\.t belongs to owner, and role builder must have the rights of its owner; run: GRANT "owner" TO "builder"/],
    ['a constraint', { indexes: [existing({ ...other, constraint: 't_pkey' })] }, /^has "USING btree \(b\)", wanted is "USING btree \(a\)", and constraint t_pkey stands on it/],
    ['a replacement that is not ours', { indexes: [existing(other), existing({ name: 'i_new', comment: null, definition: 'USING btree (c)' })] }, /^i_new, under which it would be built beside the old one, is another index/],
    ['a replacement that is an index of its own, though built here', { indexes: [existing(other), existing({ name: 'i_new', definition: 'USING btree (c)' })] }, /^i_new, under which it would be built beside the old one, is another index/],
    ['an old one that is an index of its own, though built here', { indexes: [existing(other), existing({ name: 'i_new' }), existing({ name: 'i_old', definition: 'USING btree (c)' })] }, /^the old definition would be kept as i_old, which exists: it is an index of its own; rename it$/],
    ['an old one that is not ours', { indexes: [existing(other), existing({ name: 'i_new' }), existing({ name: 'i_old', comment: null, definition: 'USING btree (c)' })] }, /^the old definition would be kept as i_old, which exists: it was not built here/],
    ['a change that would leave the old one nowhere to go', { indexes: [existing(other), existing({ name: 'i_old', comment: null, definition: 'USING btree (c)' })] }, /^the old definition would be kept as i_old, which exists: it was not built here/],
    ['a change whose name beside is another index of the list, even if that is the same', { indexes: [existing(other), existing({ name: 'i_new' })], wanted: new Set(['i', 'i_new']) }, /^i_new, .* is taken by another index of the list; rename that$/],
    ['a table in a schema where it may not create', { table: { ...table, mayCreateInSchema: false } }, /^role builder may not create in schema public; run: GRANT CREATE, USAGE ON SCHEMA "public" TO "builder"$/],
    ['a table that it may not even read', { table: { ...table, mayBuild: false }, trial: { problem: 'the role that builds lacks a right: permission denied for table t', lacksRight: true } }, /^public\.t belongs to owner/],
    ['a change while something else has the name beside', { indexes: [existing(other)], taken: new Map([['i_new', 'a table']]) }, /^i_new, a name that is needed while its definition changes, is taken by a table; rename that$/],
    ['a change while an index of another table has the name beside', { indexes: [existing(other), existing({ name: 'i_new', tableOid: '2', table: 'u' })] }, /^i_new, .* is taken by an index of public\.u; rename that$/],
    ['a swap while something else has the name for the old one', { indexes: [existing(other), existing({ name: 'i_new', oid: '11' })], taken: new Map([['i_old', 'a view']]) }, /^i_old, .* is taken by a view; rename that$/],
    ['a partitioned table', { table: { ...table, kind: 'p', partitioning } }, /^public\.t is partitioned by RANGE \(day\), and PostgreSQL cannot build an index on it concurrently; run by hand:\nCREATE INDEX "i" ON ONLY "public"\."t" USING btree \(a\);$/],
    ['another definition on a partitioned table', { table: { ...table, kind: 'p', partitioning }, indexes: [existing(other)] }, /^has "USING btree \(b\)", wanted is "USING btree \(a\)", and public\.t is partitioned; give the new definition a name of its own/],
    ['a unique index on a partitioned table', { index: { ...wanted, unique: true }, table: { ...table, kind: 'p', partitioning } }, /; nor can a unique index be built on it at all that does not contain the partition key/],
    ['three deaths', { record: record({ attempts: 3 }) }, /^its build died 3 times; its session vanished, as in a failover; deploy again or, if the list stays as it is, run: npm run indexes -- retry$/],
  ])('refuses %s, and says why', (_title, over, problem) => {
    expect(decide(evidence(over))).toMatchObject({ kind: 'failed', problem: expect.stringMatching(problem) });
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
