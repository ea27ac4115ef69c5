import { connectionError, statementError } from '../../../lib/tier/roles/bootstrap-errors';

const login = {
  host: 'db.local',
  port: 5432,
  database: 'bookedbarber',
  username: 'bookedbarber_master',
  secretArn: 'arn:master',
};
const coded = (code: string, message = 'from below') => Object.assign(new Error(message), { code });

describe('a bootstrap that cannot log in', () => {
  it.each([
    [
      '28P01',
      'db.local:5432 refuses the password that secret arn:master holds for "bookedbarber_master"; if it was changed on the instance, put the new one into the secret',
    ],
    ['28000', 'db.local:5432 does not let "bookedbarber_master" in to database "bookedbarber" (from below)'],
    ['3D000', 'db.local:5432 has no database "bookedbarber"'],
    ['53300', 'db.local:5432 has no connection left'],
    ['57P03', 'db.local:5432 is starting or stopping (from below); deploy again once the instance is available'],
    ['ENOTFOUND', 'the name db.local does not exist'],
    [
      'ECONNREFUSED',
      "db.local:5432 does not answer (from below); deploy again once the instance is available, and check that the bootstrap's security group may reach it",
    ],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'the certificate of db.local:5432 cannot be verified (from below)'],
  ])('says for %s what happened and what to do', (code, message) => {
    const cause = coded(code);
    const error = connectionError(cause, login);
    expect(error.message).toContain(`the bootstrap of roles cannot log in: ${message}`);
    expect(error.cause).toBe(cause);
  });
});

describe('a statement that fails', () => {
  it.each([
    [
      '42501',
      '"master" lacks the right to; a role that somebody else created needs GRANT <role> TO master WITH ADMIN OPTION, by that one',
    ],
    ['25006', 'the endpoint is a replica: give the bootstrap the primary'],
    ['55P03', 'another session holds the lock for over 30 s'],
    ['57014', 'it took over 60 s'],
    ['0A000', 'this version of PostgreSQL on RDS does not offer it'],
    ['53100', 'the storage is full: raise sizeGiB'],
  ])('says for %s what was done and how to go on', (code, fix) => {
    expect(statementError(coded(code), 'create role "x"', 'master').message).toContain(
      `the bootstrap of roles could not create role "x": from below; ${fix}`,
    );
  });

  it("is left with PostgreSQL's own words where there is nothing to add", () => {
    expect(
      statementError(coded('42704', 'role "y" does not exist'), 'make "x" a member of "y"', 'master').message,
    ).toBe('the bootstrap of roles could not make "x" a member of "y": role "y" does not exist');
  });
});
