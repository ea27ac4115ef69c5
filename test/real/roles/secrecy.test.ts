import { createSetVerifier, setVerifier } from '../../../lib/tier/roles/bootstrap-sql';
import { scramVerifier } from '../../../lib/tier/roles/scram-verifier';
import { DeployedRoles } from './deployed-roles';

let deployed: DeployedRoles;

beforeAll(async () => {
  deployed = await DeployedRoles.start('127.35.0.4');
  await deployed.bootstrap();
});
afterAll(() => deployed?.stop());

describe('secrets', () => {
  it('stay out of the log even if every statement is logged', () => {
    const log = deployed.postgres.logTail(200);
    expect(log).toContain('SELECT pg_temp.set_verifier($1, $2)');
    expect(log).not.toContain('SCRAM-SHA-256$');
    expect(log).not.toContain('application ');
  });

  it('stay out of the log and of the error when setting one fails', async () => {
    const verifier = scramVerifier({ password: 'x', iterations: 1 });
    const { sql, values } = setVerifier('rdsadmin', verifier);
    const master = await deployed.logIn('master');
    try {
      await master.query(createSetVerifier.sql);
      const error = await master.query(sql, [...values!]).then(
        () => undefined,
        (reason: Error) => reason,
      );
      expect(error).toMatchObject({ code: '42501' });
      expect(JSON.stringify({ ...error, message: error!.message, stack: error!.stack })).not.toContain(
        'SCRAM-SHA-256$',
      );
    } finally {
      await master.end();
    }
    expect(deployed.postgres.logTail(50)).not.toContain('SCRAM-SHA-256$');
  });

  it('stay out of pg_stat_statements', async () => {
    const found = await deployed.postgres.query(
      "SELECT query FROM pg_stat_statements WHERE query LIKE '%SCRAM-SHA-256$%' AND query NOT LIKE '%pg_stat_statements%'",
      [],
      'bookedbarber',
    );
    expect(found).toEqual([]);
  });
});
