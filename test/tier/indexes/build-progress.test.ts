import { progressOf } from '../../../lib/tier/indexes/build-progress';

const row = { tableOid: '1', phase: 'initializing', blocksDone: 0, blocksTotal: 0, tuplesDone: 0, tuplesTotal: 0 };
const percent = (over: Partial<typeof row>): number => progressOf({ ...row, ...over }).percent;

describe('progressOf', () => {
  it('rises through the phases of a build', () => {
    const steps = [
      percent({}),
      percent({ phase: 'waiting for writers before build' }),
      percent({ phase: 'building index: scanning table', blocksDone: 1, blocksTotal: 4 }),
      percent({ phase: 'building index: scanning table', blocksDone: 3, blocksTotal: 4 }),
      percent({ phase: 'building index: loading tuples in tree', tuplesDone: 1, tuplesTotal: 2, blocksDone: 4, blocksTotal: 4 }),
      percent({ phase: 'waiting for writers before validation' }),
      percent({ phase: 'index validation: scanning table', blocksDone: 1, blocksTotal: 2 }),
      percent({ phase: 'waiting for old snapshots' }),
    ];
    expect(steps).toEqual([0, 0, 11, 31, 59, 69, 88, 99]);
  });

  it('takes a method that tells no steps, or steps of its own, by its blocks', () => {
    expect(percent({ phase: 'building index', blocksDone: 1, blocksTotal: 2 })).toBe(35);
    expect(percent({ phase: 'building index: something new', blocksDone: 1, blocksTotal: 2 })).toBe(35);
  });
});
