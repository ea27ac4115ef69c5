import { environments } from '../../../lib/config/environments';
import { resolveConfig } from '../../../lib/config/resolve-config';
import { PostgresServer } from '../../../lib/rehearsal/engines/postgres-server';
import { type InstanceRole, postgresParameters } from '../../../lib/tier/database/postgres-parameters';

const { database } = resolveConfig('production', environments.production);
const roles: readonly InstanceRole[] = [{ role: 'primary' }, { role: 'replica', maxConnections: 500 }];

describe.each(roles)('the parameters of a $role', (instance) => {
  const parameters = Object.fromEntries(postgresParameters(database, instance).map(({ name, value }) => [name, value]));
  let server: PostgresServer;
  beforeAll(async () => {
    server = await PostgresServer.start({ address: '127.37.0.1', parameters });
  });
  afterAll(() => server?.stop());

  it('are all known to PostgreSQL 17, which runs with just these values', async () => {
    const rows = await server.query<{ name: string; setting: string; vartype: string }>('SELECT name, setting, vartype FROM pg_settings WHERE name = ANY($1)', [Object.keys(parameters)]);
    const running = Object.fromEntries(rows.map(({ name, setting, vartype }) => [name, vartype === 'bool' ? (setting === 'on' ? '1' : '0') : setting]));
    const { 'rds.force_ssl': forceSsl, ...expected } = parameters;
    expect(running).toEqual(expected);
    expect(forceSsl).toBe('1');
  });
});
