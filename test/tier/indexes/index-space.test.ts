import { BuildRoom, bytesForBuild, spaceProblem } from '../../../lib/tier/indexes/index-space';

const gib = 2 ** 30;
const size = { rows: 30_000_000, bytesPerRow: 40 };

describe('the space of a build', () => {
  it('counts the index, its sort and its WAL', () => {
    const index = Math.ceil((30_000_000 * (40 + 16)) / 0.9);
    expect(bytesForBuild(size)).toEqual({ index, atMost: 3 * index });
  });

  it('is enough, or the figures and the fix are named', () => {
    expect(spaceProblem(size, { allocatedBytes: 20 * gib, usedBytes: 10 * gib })).toBeUndefined();
    expect(spaceProblem(size, { allocatedBytes: 20 * gib, usedBytes: 15 * gib })).toBe(
      "its build may take 5.2 GiB (the index 1.7 GiB, its sort and its WAL as much each), and of the instance's 20.0 GiB only 4.0 GiB are free beyond a reserve of 5 %; raise storage.sizeGiB",
    );
  });

  it('is taken by those under way: another one waits for them, and is refused only if it would not fit alone', () => {
    const room = new BuildRoom({ allocatedBytes: 20 * gib, usedBytes: 10 * gib });
    expect(room.mustWait(size)).toBe(false);
    room.take(size);
    expect([room.mustWait(size), room.problemOf(size)]).toEqual([true, undefined]);
    expect(room.problemOf({ ...size, rows: 2 * size.rows })).toContain('raise storage.sizeGiB');
    const unknown = new BuildRoom(undefined);
    unknown.take(size);
    expect([unknown.mustWait(size), unknown.problemOf(size)]).toEqual([false, undefined]);
  });
});
