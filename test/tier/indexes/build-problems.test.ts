import { buildProblem } from '../../../lib/tier/indexes/build-problems';

const index = { name: 'i', schema: 'public', table: 't', unique: true, definition: '(a)' };
const plain = { canonical: 'USING btree (a)', holdsOthersBack: false, columns: ['a'], columnCount: 1 };
const expression = { ...plain, columns: [], canonical: 'USING btree (lower(a))' };
const errorOf = (code: string | undefined, message = 'message of the server') => Object.assign(new Error(message), { code, detail: 'Key (a)=(secret) is duplicated.' });

describe('what is said of a build that failed', () => {
  it.each<[string | undefined, RegExp, boolean]>([
    ['23505', /^public\.t holds duplicates, so the unique index cannot be, and was removed; .*find them with: SELECT a, count\(\*\) FROM public\.t GROUP BY a HAVING count\(\*\) > 1$/, true],
    ['40P01', /^other DDL or ANALYZE waited on public\.t and cancelled the build$/, false],
    ['53100', /^the disk is full; raise storage\.sizeGiB, then deploy again$/, true],
    ['53200', /^the server ran out of memory; lower maintenance_work_mem or choose a larger instance class/, true],
    ['42501', /^message of the server; the role that builds must have the rights of the owner of public\.t$/, true],
    ['25001', /^the session is inside a transaction, as behind a pooler; use the endpoint of the instance itself$/, true],
    ['57P01', /^the session of the build was ended, as in a failover or a restart$/, false],
    [undefined, /^the session of the build was ended, as in a failover or a restart$/, false],
    ['57014', /^somebody cancelled the build of public\.i$/, false],
    ['XX000', /^message of the server \(SQLSTATE XX000\)$/, false],
  ])('with SQLSTATE %s, without values of rows, and whether another attempt would fail too', (code, message, hopeless) => {
    const said = buildProblem(index, plain, errorOf(code));
    expect(said).toEqual({ problem: expect.stringMatching(message), hopeless });
    expect(said.problem).not.toContain('secret');
  });

  it('gives no query for duplicates of an expression', () => {
    expect(buildProblem(index, expression, errorOf('23505')).problem).not.toContain('SELECT');
  });
});
