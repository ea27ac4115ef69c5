import { loginVerifiers } from '../../../lib/tier/roles/login-verifiers';
import type { LoginRole } from '../../../lib/tier/roles/role-catalogue';
import { parseScramVerifier, scramVerifier, verifierMatches } from '../../../lib/tier/roles/scram-verifier';

const login = (name: string, secret: string, ...logsInTo: LoginRole['logsInTo']): LoginRole<string> => ({
  name,
  logsInTo,
  memberOf: [],
  secret,
  scramIterations: 2,
  connectionLimit: -1,
  settings: {},
});
const app = login('app', 'arn:app', 'database', 'pooler');
const alternate = login('app_alternate', 'arn:app', 'database', 'pooler');
const migrations = login('migrations', 'arn:migrations', 'database');
const admin = login('pgbouncer_admin', 'arn:admin', 'pooler');
const logins = [app, alternate, migrations, admin];

const credentials = (current: Record<string, string> = {}) =>
  new Map(
    Object.entries({
      'arn:app': 'app',
      'arn:migrations': 'migrations',
      'arn:admin': 'pgbouncer_admin',
      ...current,
    }).map(([arn, username]) => [arn, { username, password: `of ${username}` }]),
  );

describe('the verifiers of the first bootstrap', () => {
  const { database, userlist, warnings } = loginVerifiers(logins, credentials(), new Map());

  it('go to the database for its roles and to the userlist for those of the pooler, one and the same', () => {
    expect([...database.keys()]).toEqual(['app', 'migrations']);
    expect([...userlist.keys()]).toEqual(['app', 'pgbouncer_admin']);
    expect(userlist.get('app')).toBe(database.get('app'));
    expect(warnings).toEqual([]);
  });

  it('belong to the passwords of the secrets, with the iterations of the role', () => {
    expect(verifierMatches(database.get('app')!, 'of app')).toBe(true);
    expect(parseScramVerifier(database.get('app')!)!.iterations).toBe(2);
  });

  it('leave out the alternate, which has no password yet', () => {
    expect(database.has('app_alternate') || userlist.has('app_alternate')).toBe(false);
  });
});

describe('the verifiers of a later bootstrap', () => {
  const first = loginVerifiers(logins, credentials(), new Map()).userlist;

  it('are those of the userlist while their passwords are', () => {
    const { userlist, database } = loginVerifiers(logins, credentials(), first);
    expect(userlist).toEqual(first);
    expect(database.get('app')).toBe(first.get('app'));
  });

  it('are new for a role whose password changed', () => {
    const changed = new Map([...credentials(), ['arn:app', { username: 'app', password: 'changed' }]]);
    const { userlist } = loginVerifiers(logins, changed, first);
    expect(verifierMatches(userlist.get('app')!, 'changed')).toBe(true);
    expect(userlist.get('pgbouncer_admin')).toBe(first.get('pgbouncer_admin'));
  });

  it('stay as running tasks hold them when only the iterations changed, with a warning', () => {
    const { userlist, warnings } = loginVerifiers(
      [{ ...app, scramIterations: 4096 }, migrations, admin],
      credentials(),
      first,
    );
    expect(userlist).toEqual(first);
    expect(warnings).toEqual([
      '"app" keeps its verifier of 2 SCRAM iterations, not 4096, until its password changes: running pooler tasks hold it',
    ]);
  });

  it('keep both of a pair after a rotation, so that sessions with the former password still get in', () => {
    const rotated = new Map([
      ...first,
      ['app_alternate', scramVerifier({ password: 'of app_alternate', iterations: 2 })],
    ]);
    const { userlist, database } = loginVerifiers(logins, credentials({ 'arn:app': 'app_alternate' }), rotated);
    expect(userlist).toEqual(rotated);
    expect([database.get('app'), database.get('app_alternate')]).toEqual([
      rotated.get('app'),
      rotated.get('app_alternate'),
    ]);
  });

  it('keep a user of the userlist who is no role of the tier, with a warning', () => {
    const stranger = scramVerifier({ password: 'x', iterations: 1 });
    const { userlist, warnings } = loginVerifiers(logins, credentials(), new Map([...first, ['reports', stranger]]));
    expect(userlist.get('reports')).toBe(stranger);
    expect(warnings).toEqual([
      'the userlist also lets in "reports", which is no role of the tier; if nobody needs it, remove its line from the userlist secret and deploy again',
    ]);
  });

  it('refuse a secret that names a role of another secret', () => {
    expect(() => loginVerifiers(logins, credentials({ 'arn:app': 'migrations' }), first)).toThrow(
      'secret arn:app says "username": "migrations"; it should be "app" or "app_alternate": correct it',
    );
  });
});
