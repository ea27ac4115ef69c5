import { environments } from '../../../lib/config/environments';
import { resolveConfig } from '../../../lib/config/resolve-config';
import { roleCatalogue, type SecretName, secretNames } from '../../../lib/tier/roles/role-catalogue';
import { catalogueFromProperties, roleProperties } from '../../../lib/tier/roles/role-properties';
import type { RolesProperties } from '../../../lib/tier/roles/roles.contract';

const catalogue = roleCatalogue(resolveConfig('staging', environments.staging), ['pg_stat_statements']);
const arns = Object.fromEntries(secretNames.map((name) => [name, `arn:${name}`])) as Record<SecretName, string>;
const properties: RolesProperties = {
  ...roleProperties(catalogue, arns, { Database: 'db:5432/bookedbarber', Userlist: 'arn:userlist' }),
  ServiceToken: 'arn:token',
};

describe('the properties of the custom resource', () => {
  it('say everything that the bootstrap needs, with ARNs in place of the names of secrets', () => {
    expect(catalogueFromProperties(properties)).toEqual({
      ...catalogue,
      logins: catalogue.logins.map((login) => ({ ...login, secret: `arn:${login.secret}` })),
    });
  });

  it('survive the journey through CloudFormation, which makes strings of all scalars', () => {
    expect(JSON.stringify(properties)).not.toMatch(/":[^"[{]/);
  });

  it('show a role under its own name', () => {
    expect(properties.bookedbarber_app).toEqual({
      LogsInTo: ['database', 'pooler'],
      MemberOf: ['bookedbarber_readwrite'],
      Secret: 'arn:application',
      ScramIterations: '256',
      ConnectionLimit: '-1',
      Settings: {
        statement_timeout: '30000ms',
        transaction_timeout: '60000ms',
        idle_in_transaction_session_timeout: '30s',
      },
    });
  });

  it.each([
    [
      'an owner that is no group',
      { Owner: 'nobody' },
      'property Owner is "nobody", which is none of the group roles bookedbarber_owner, bookedbarber_readwrite, bookedbarber_read',
    ],
    ['extensions that are no list', { Extensions: 'hstore' }, 'property Extensions is "hstore", not a list'],
    [
      'a privilege that is SQL',
      { bookedbarber_read: { Database: ['ALL; DROP TABLE x'], Schemas: [], Tables: [], Sequences: [] } },
      'property bookedbarber_read.Database has "ALL; DROP TABLE x", which is no privilege of PostgreSQL',
    ],
    [
      'a setting that is not managed',
      {
        x: {
          LogsInTo: ['database'],
          MemberOf: [],
          Secret: 'arn',
          ScramIterations: '1',
          ConnectionLimit: '1',
          Settings: { work_mem: '1GB' },
        },
      },
      'property x.Settings has "work_mem"; the bootstrap sets only default_transaction_read_only',
    ],
    [
      'a limit that is no number',
      {
        x: {
          LogsInTo: ['database'],
          MemberOf: [],
          Secret: 'arn',
          ScramIterations: '1',
          ConnectionLimit: 'many',
          Settings: {},
        },
      },
      'property x.ConnectionLimit is "many", not a whole number',
    ],
  ])('are refused for %s', (_, change, message) => {
    expect(() => catalogueFromProperties({ ...properties, ...change })).toThrow(message);
  });
});
