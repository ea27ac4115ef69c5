import { scramVerifier } from '../../../lib/tier/roles/scram-verifier';
import { arnOf, DeployedRoles } from './deployed-roles';

let deployed: DeployedRoles;
let first: Record<string, string>;

beforeAll(async () => {
  deployed = await DeployedRoles.start('127.35.0.2');
  first = await deployed.bootstrap();
  await deployed.as('migrations', 'CREATE TABLE appointments (id bigint PRIMARY KEY)');
});
afterAll(() => deployed?.stop());

describe('a bootstrap that runs again', () => {
  it('changes nothing', async () => {
    const [before, userlist] = [await deployed.catalogState(), deployed.userlist];
    const attributes = await deployed.bootstrap();
    expect(await deployed.catalogState()).toEqual(before);
    expect(deployed.userlist).toEqual(userlist);
    expect(attributes).toEqual(first);
  });

  it('brings what changed in the configuration, takes back what somebody changed by hand, and leaves other settings alone', async () => {
    await deployed.as(
      'master',
      "ALTER ROLE bookedbarber_app SET lock_timeout = '1s'",
      "ALTER ROLE bookedbarber_app SET work_mem = '16MB'",
      'ALTER ROLE bookedbarber_collector NOLOGIN',
    );
    await deployed.bootstrap({ roles: { applicationStatementTimeoutMs: 7000 } });
    await expect(
      deployed.as(
        'application',
        "SELECT current_setting('statement_timeout') AS s, current_setting('lock_timeout') AS l, current_setting('work_mem') AS w",
      ),
    ).resolves.toEqual([{ s: '7s', l: '0', w: '16MB' }]);
    await expect(deployed.as('collector', 'SELECT 1 AS one')).resolves.toEqual([{ one: 1 }]);
  });

  it('sets a password that changed in its secret, and gives the userlist a new version', async () => {
    deployed.putSecret('readOnly', 'bookedbarber_readonly', 'changed');
    const attributes = await deployed.bootstrap();
    await expect(deployed.as('readOnly', 'SELECT 1 AS one')).resolves.toEqual([{ one: 1 }]);
    expect(attributes.UserlistVersion).not.toBe(first.UserlistVersion);
  });

  it('brings verifiers back that the database has lost, as after the restore of a snapshot', async () => {
    await deployed.as('master', "ALTER ROLE bookedbarber_app PASSWORD 'old'");
    const before = deployed.userlist.get('bookedbarber_app');
    await deployed.bootstrap();
    await expect(deployed.as('application', 'SELECT 1 AS one')).resolves.toEqual([{ one: 1 }]);
    expect(deployed.userlist.get('bookedbarber_app')).toBe(before);
  });

  it('warns of iterations that wait for the next password, and keeps the verifier that tasks hold', async () => {
    const before = deployed.userlist.get('bookedbarber_app');
    const attributes = await deployed.bootstrap({ roles: { applicationScramIterations: 4096 } });
    expect(deployed.userlist.get('bookedbarber_app')).toBe(before);
    expect(attributes.Warnings).toBe(
      '"bookedbarber_app" keeps its verifier of 256 SCRAM iterations, not 4096, until its password changes: running pooler tasks hold it',
    );
  });

  it('keeps both of the pair after a rotation', async () => {
    const { secrets } = deployed.aws;
    const verifier = scramVerifier({ password: 'rotated', iterations: 256 });
    secrets.put(arnOf('userlist'), `${secrets.text(arnOf('userlist'))}"bookedbarber_app_alternate" "${verifier}"\n`);
    const beforeRotation = secrets.text(arnOf('application'));
    deployed.putSecret('application', 'bookedbarber_app_alternate', 'rotated');
    await deployed.bootstrap();
    await expect(deployed.as('application', 'SELECT session_user::text AS who')).resolves.toEqual([
      { who: 'bookedbarber_app_alternate' },
    ]);
    secrets.put(arnOf('application'), beforeRotation);
    await expect(deployed.as('application', 'SELECT session_user::text AS who')).resolves.toEqual([
      { who: 'bookedbarber_app' },
    ]);
  });
});

describe('tables that were there before', () => {
  afterAll(() => deployed.postgres.query('DROP TABLE public.of_master, public."of Alice"', [], 'bookedbarber'));

  it('are granted where the master may, and named where it may not', async () => {
    await deployed.as('master', 'CREATE TABLE public.of_master (id serial)');
    await deployed.postgres.query('CREATE ROLE alice');
    await deployed.postgres.query('CREATE TABLE public."of Alice" (id int)', [], 'bookedbarber');
    await deployed.postgres.query('ALTER TABLE public."of Alice" OWNER TO alice', [], 'bookedbarber');
    const attributes = await deployed.bootstrap();
    await deployed.as('application', 'INSERT INTO of_master DEFAULT VALUES');
    await expect(deployed.as('readOnly', 'SELECT id FROM of_master')).resolves.toEqual([{ id: 1 }]);
    await expect(deployed.as('application', 'SELECT * FROM "of Alice"')).rejects.toMatchObject({ code: '42501' });
    expect(attributes.Warnings!.split('\n')).toEqual([
      'public."of Alice": owned by "alice", not by "bookedbarber_owner", so no index can be built there and new privileges depend on "alice"; for each, run ALTER TABLE public."of Alice" OWNER TO "bookedbarber_owner"',
      'public.of_master: owned by "bookedbarber_master", not by "bookedbarber_owner", so no index can be built there and new privileges depend on "bookedbarber_master"; for each, run ALTER TABLE public.of_master OWNER TO "bookedbarber_owner"',
    ]);
  });

  it('are left alone where they belong to an extension', async () => {
    await deployed.as('master', 'CREATE TABLE public.of_extension (id int)');
    await deployed.postgres.query(
      'ALTER EXTENSION pg_stat_statements ADD TABLE public.of_extension',
      [],
      'bookedbarber',
    );
    const attributes = await deployed.bootstrap();
    expect(attributes.Warnings).not.toContain('of_extension');
    await expect(deployed.as('readOnly', 'SELECT * FROM of_extension')).rejects.toMatchObject({ code: '42501' });
    await deployed.postgres.query(
      'ALTER EXTENSION pg_stat_statements DROP TABLE public.of_extension',
      [],
      'bookedbarber',
    );
    await deployed.as('master', 'DROP TABLE public.of_extension');
  });

  it('are warned of when the schema itself is not for the master to grant', async () => {
    await deployed.postgres.query('ALTER SCHEMA public OWNER TO rdsadmin', [], 'bookedbarber');
    const attributes = await deployed.bootstrap();
    await deployed.postgres.query('ALTER SCHEMA public OWNER TO pg_database_owner', [], 'bookedbarber');
    expect(attributes.Warnings).toContain('no privileges could be revoked for "public"');
  });

  it('can be given to the owners by the statement that the warning names', async () => {
    await deployed.as('master', 'ALTER TABLE public.of_master OWNER TO "bookedbarber_owner"');
    const attributes = await deployed.bootstrap();
    expect(attributes.Warnings).not.toContain('of_master');
  });
});

describe('a delete', () => {
  it('answers success and drops nothing, even with the database gone', async () => {
    const before = await deployed.catalogState();
    const event = { RequestType: 'Delete', PhysicalResourceId: 'roles', ResourceProperties: {} };
    await expect(deployed.invoke(event, { DATABASE_HOST: '127.35.0.99' })).resolves.toEqual({
      PhysicalResourceId: 'roles',
    });
    expect(await deployed.catalogState()).toEqual(before);
  });
});
