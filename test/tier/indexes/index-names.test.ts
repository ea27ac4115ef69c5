import { isReindexLeftoverOf, nameBeside } from '../../../lib/tier/indexes/index-names';

describe('nameBeside', () => {
  it('ends in what it is for', () => {
    expect(nameBeside('idx_users_email', 'new')).toBe('idx_users_email_new');
  });

  it('stays within 63 bytes, and keeps long names that begin alike apart', () => {
    const names = ['x'.repeat(63), `${'x'.repeat(62)}y`, 'ü'.repeat(31)].flatMap((name) => [nameBeside(name, 'new'), nameBeside(name, 'old')]);
    for (const name of names) expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
    expect(new Set(names).size).toBe(6);
  });
});

describe('isReindexLeftoverOf', () => {
  it.each([
    ['i_ccnew', true],
    ['i_ccold1', true],
    ['i_ccnewer', false],
    ['i', false],
    ['other_ccnew', false],
  ])('%s', (candidate, expected) => {
    expect(isReindexLeftoverOf('i', candidate)).toBe(expected);
  });
});
