import { buildProblem } from '../../../lib/tier/indexes/build-problems';

const index = { name: 'i', schema: 'public', table: 't', unique: true, definition: '(a)' };
const plain = { canonical: 'USING btree (a)', holdsOthersBack: false, columns: ['a'], keyCount: 1, predicate: null };
const errorOf = (code: string, message = 'message of the server') => Object.assign(new Error(message), { code, severity: 'ERROR', detail: 'Key (a)=(secret) is duplicated.' });
const lost = (code: string | undefined, message: string) => Object.assign(new Error(message), { code });

describe('what is said of a build that failed', () => {
  it.each<[string, RegExp, boolean]>([
    ['23505', /^public\.t holds duplicates on \(a\), so the unique index cannot be, and is removed; .*find them with: SELECT a, count\(\*\) FROM "public"\."t" WHERE a IS NOT NULL GROUP BY a HAVING count\(\*\) > 1$/, true],
    ['40P01', /^other DDL or ANALYZE waited on public\.t and cancelled the build$/, false],
    ['53100', /^the disk is full; raise storage\.sizeGiB, then deploy again or, if the list stays as it is, run: npm run indexes -- retry$/, true],
    ['53200', /^the server ran out of memory; lower maintenance_work_mem or choose a larger instance class/, true],
    ['42501', /^message of the server; the role that builds must have the rights of the owner of public\.t, and functions of the definition run with the rights of that owner alone: grant what is missing, then deploy again/, true],
    ['57P01', /^the session of the build was ended, as in a failover or a restart$/, false],
    ['57014', /^somebody cancelled the build of public\.i$/, false],
    ['42883', /^message of the server \(SQLSTATE 42883\); while PostgreSQL builds, a function sees pg_catalog alone: inside of it, name schemas in full, or run ALTER FUNCTION/, true],
    ['0A000', /^message of the server \(SQLSTATE 0A000\)$/, true],
    ['XX000', /^message of the server \(SQLSTATE XX000\)$/, false],
  ])('with SQLSTATE %s, without values of rows, and whether another attempt would fail too', (code, message, hopeless) => {
    const said = buildProblem(index, plain, errorOf(code));
    expect(said).toEqual({ problem: expect.stringMatching(message), hopeless });
    expect(said.problem).not.toContain('secret');
  });

  it.each(['22P02', '22003', '23514', 'P0001', '38000'])('with SQLSTATE %s, whose message may quote a row, without that message', (code) => {
    const said = buildProblem(index, plain, errorOf(code, 'invalid input syntax for type integer: "secret"'));
    expect(said).toEqual({ problem: expect.stringMatching(new RegExp(`^the index cannot be computed for some row of public\\.t \\(SQLSTATE ${code}\\)`)), hopeless: true });
    expect(said.problem).not.toContain('secret');
  });

  it('with a table that is gone, which may come back', () => {
    expect(buildProblem(index, plain, errorOf('42P01', 'relation "public.t" does not exist'))).toEqual({ problem: 'public.t was dropped or renamed before its build began', hopeless: false });
    expect(buildProblem(index, plain, errorOf('42P01', 'relation "rates" does not exist'))).toMatchObject({ hopeless: true });
  });

  it.each([[undefined, 'Connection terminated unexpectedly'], ['ECONNRESET', 'read ECONNRESET'], ['EPIPE', 'write EPIPE']])('when the connection is lost (%s)', (code, message) => {
    expect(buildProblem(index, plain, lost(code, message))).toEqual({ problem: 'the connection to the build was lost, as in a failover or a restart', hopeless: false, outOfSight: true });
  });

  it('with a query for the duplicates that knows the predicate, the expressions, what is only included, and NULLS NOT DISTINCT', () => {
    const trial = { ...plain, columns: ['lower(a)', 'b', 'c'], keyCount: 2, predicate: '(d > 0)' };
    expect(buildProblem(index, trial, errorOf('23505')).problem).toMatch(/SELECT lower\(a\), b, count\(\*\) FROM "public"\."t" WHERE \(d > 0\) AND lower\(a\) IS NOT NULL AND b IS NOT NULL GROUP BY lower\(a\), b HAVING count\(\*\) > 1$/);
    expect(buildProblem(index, { ...plain, canonical: 'USING btree (a) NULLS NOT DISTINCT' }, errorOf('23505')).problem).toMatch(/FROM "public"\."t" GROUP BY a HAVING/);
  });
});
