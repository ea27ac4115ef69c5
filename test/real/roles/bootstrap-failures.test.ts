import { arnOf, DeployedRoles } from './deployed-roles';

let deployed: DeployedRoles;

beforeAll(async () => {
  deployed = await DeployedRoles.start('127.35.0.3');
  await deployed.bootstrap();
});
afterAll(() => deployed?.stop());

describe('a bootstrap that cannot do its work', () => {
  it('says that the password of the master is wrong', async () => {
    deployed.putSecret('wrong', 'bookedbarber_master', 'wrong');
    await expect(deployed.bootstrap({ environment: { DATABASE_SECRET_ARN: arnOf('wrong') } })).rejects.toThrow(
      `the bootstrap of roles cannot log in: 127.35.0.3:5432 refuses the password that secret ${arnOf('wrong')} holds for "bookedbarber_master"`,
    );
  });

  it('says that nothing answers', async () => {
    await expect(deployed.bootstrap({ environment: { DATABASE_PORT: '5433' } })).rejects.toThrow(
      '127.35.0.3:5433 does not answer (connect ECONNREFUSED 127.35.0.3:5433)',
    );
  });

  it('says that the database is missing', async () => {
    await expect(deployed.bootstrap({ environment: { DATABASE_NAME: 'nowhere' } })).rejects.toThrow(
      '127.35.0.3:5432 has no database "nowhere"',
    );
  });

  it('does not talk to a server whose certificate it cannot verify', async () => {
    await expect(deployed.bootstrap({ environment: { NODE_EXTRA_CA_CERTS: '' } })).rejects.toThrow(
      'the certificate of 127.35.0.3:5432 cannot be verified',
    );
  });

  it('names an extension that does not exist, and leaves everything as it was', async () => {
    const before = await deployed.catalogState();
    await expect(
      deployed.bootstrap({ extensions: ['no_such_extension'], roles: { applicationStatementTimeoutMs: 1 } }),
    ).rejects.toThrow(
      'the bootstrap of roles could not create extension "no_such_extension": extension "no_such_extension" is not available; this version of PostgreSQL on RDS does not offer it',
    );
    expect(await deployed.catalogState()).toEqual(before);
  });

  it('names a role that somebody else created, and what that one must do', async () => {
    await deployed.postgres.query('REVOKE bookedbarber_rotation FROM bookedbarber_master');
    await expect(deployed.bootstrap()).rejects.toThrow(
      /^the bootstrap of roles could not alter role "bookedbarber_rotation": permission denied to alter role; "bookedbarber_master" lacks the right to/,
    );
    await deployed.postgres.query('GRANT bookedbarber_rotation TO bookedbarber_master WITH ADMIN OPTION');
    await expect(deployed.bootstrap()).resolves.toBeDefined();
  });

  it('names the secret that is not what it should be', async () => {
    const { secrets } = deployed.aws;
    const before = secrets.text(arnOf('collector'));
    secrets.put(arnOf('collector'), 'hunter2');
    await expect(deployed.bootstrap()).rejects.toThrow(`secret ${arnOf('collector')} is not a JSON object`);
    secrets.put(arnOf('collector'), before);
  });
});
