import type { Decision } from '../../../lib/tier/indexes/index-decision';
import type { ObservedIndex, ObservedTable } from '../../../lib/tier/indexes/index-observation';
import { type Step, stepsOf } from '../../../lib/tier/indexes/index-steps';
import type { JudgedIndex, Survey } from '../../../lib/tier/indexes/index-survey';

const table: ObservedTable = { oid: '1', kind: 'r', columns: '', owner: 'owner', role: 'builder', mayBuild: true, mayCreateInSchema: true, lockedByOthers: false, locked: false };
const found = (name: string, over: Partial<ObservedIndex> = {}): ObservedIndex => ({
  oid: '10', schema: 'public', name, tableOid: '1', table: 't', unique: false, deferrable: false, valid: false, definition: 'USING btree (a)', comment: null,
  constraint: null, replicaIdentity: false, attached: false, bytes: 8192, ...over,
}); // prettier-ignore
const judged = (name: string, decision: Decision, holdsOthersBack = false): JudgedIndex => ({
  index: { name, schema: 'public', table: 't', unique: false, definition: '(a)' },
  table,
  trial: { canonical: 'USING btree (a)', holdsOthersBack, columns: ['a'], keyCount: 1, predicate: null },
  decision,
});
const survey = (over: Partial<Survey>): Survey => ({
  database: 'd', judged: [], busyTables: new Set(), retired: [], replaced: [], abandoned: [], leftovers: [], invalid: [], notBegun: new Map(), history: new Map(), found: new Map(), ...over,
}); // prettier-ignore
const build = (as: string, remains?: ObservedIndex): Decision => ({ kind: 'build', as, ...(remains && { remains }) });
const told = (step: Step): string => `${step.kind} ${step.kind === 'drop' ? step.index.name : step.judged.index.name}`;

describe('stepsOf', () => {
  it('begins with what makes inserts fail, and ends with what holds other builds back', () => {
    const steps = stepsOf(survey({ judged: [judged('partial', build('partial'), true), judged('plain', build('plain')), judged('unique', build('unique', found('unique', { unique: true })))] }), false);
    expect(steps.map(told)).toEqual(['build unique', 'build plain', 'build partial']);
  });

  it('drops remains before, and what is retired after everything else', () => {
    const steps = stepsOf(
      survey({
        judged: [judged('i', build('i')), judged('hopeless', { kind: 'failed', problem: 'duplicates', remains: found('hopeless') }), judged('done', { kind: 'valid' })],
        abandoned: [found('done_new')],
        retired: [
          { index: found('old', { valid: true }), problem: undefined, waitsFor: [] },
          { index: found('early', { valid: true }), problem: undefined, waitsFor: ['i'] },
          { index: found('kept', { valid: true }), problem: 'a constraint stands on it', waitsFor: [] },
        ],
        replaced: [found('done_old', { valid: true })],
      }),
      false,
    );
    expect(steps.map(told)).toEqual(['drop done_new', 'build i', 'drop hopeless', 'drop old']);
  });

  it('drops what was replaced once everything has succeeded', () => {
    const replaced = [found('i_old', { valid: true })];
    expect(stepsOf(survey({ judged: [judged('i', { kind: 'valid' })], replaced }), false).map(told)).toEqual(['drop i_old']);
    expect(stepsOf(survey({ judged: [judged('i', { kind: 'building', unfinished: found('i') })], replaced }), false)).toEqual([]);
    expect(stepsOf(survey({ judged: [judged('i', { kind: 'failed', problem: 'duplicates' })], replaced }), false)).toEqual([]);
  });

  it('drops nothing after a rollback but the INVALID remains of what cannot be built', () => {
    const steps = stepsOf(
      survey({
        judged: [judged('hopeless', { kind: 'failed', problem: 'duplicates', remains: found('hopeless') })],
        abandoned: [found('i_new')],
        retired: [{ index: found('old', { valid: true }), problem: undefined, waitsFor: [] }],
        replaced: [found('i_old', { valid: true })],
      }),
      true,
    );
    expect(steps.map(told)).toEqual(['drop hopeless']);
  });

  it('leaves alone what is as it should be, or cannot be helped', () => {
    const decisions: readonly Decision[] = [{ kind: 'valid' }, { kind: 'waiting' }, { kind: 'drifted', problem: 'dropped' }, { kind: 'failed', problem: 'no such column' }];
    expect(stepsOf(survey({ judged: [...decisions.map((decision) => judged('i', decision)), { ...judged('i', { kind: 'deferred' }), table: undefined }] }), false)).toEqual([]);
  });
});
