import { environments } from '../../../lib/config/environments';
import { resolveConfig } from '../../../lib/config/resolve-config';
import type { TierConfig } from '../../../lib/config/tier-config';
import { limitPooledRoles, roleCatalogue, secretNames } from '../../../lib/tier/roles/role-catalogue';
import { roleProblems } from '../../../lib/tier/roles/role-problems';

const resolve = (change: Partial<TierConfig> = {}) => resolveConfig('staging', { ...environments.staging, ...change });
const catalogueOf = (change: Partial<TierConfig> = {}) => roleCatalogue(resolve(change), ['pg_stat_statements']);
const login = (name: string, change: Partial<TierConfig> = {}) =>
  catalogueOf(change).logins.find((role) => role.name === name)!;

describe('the catalogue of roles', () => {
  it('lists who logs in where', () => {
    expect(Object.fromEntries(catalogueOf().logins.map(({ name, logsInTo }) => [name, logsInTo.join(' ')]))).toEqual({
      bookedbarber_app: 'database pooler',
      bookedbarber_app_alternate: 'database pooler',
      bookedbarber_readonly: 'database pooler',
      bookedbarber_readonly_alternate: 'database pooler',
      bookedbarber_migrations: 'database',
      bookedbarber_migrations_alternate: 'database',
      bookedbarber_indexes: 'database',
      bookedbarber_indexes_alternate: 'database',
      bookedbarber_collector: 'database pooler',
      bookedbarber_collector_alternate: 'database pooler',
      pgbouncer_admin: 'pooler',
      pgbouncer_admin_alternate: 'pooler',
      bookedbarber_rotation: 'database',
    });
  });

  it('gives two roles that take turns one secret, and the rotation its own', () => {
    const { logins } = catalogueOf();
    expect(new Set(logins.map(({ secret }) => secret))).toEqual(new Set(secretNames));
    expect(logins.filter(({ secret }) => secret === 'application').map(({ name }) => name)).toEqual([
      'bookedbarber_app',
      'bookedbarber_app_alternate',
    ]);
    expect(logins.filter(({ secret }) => secret === 'rotation').map(({ name }) => name)).toEqual(['bookedbarber_rotation']);
    expect(logins).toHaveLength(2 * secretNames.length - 1);
  });

  it('makes the alternate the equal of the application in everything but its name', () => {
    expect({ ...login('bookedbarber_app_alternate'), name: 'bookedbarber_app' }).toEqual(login('bookedbarber_app'));
  });

  it('limits those that come through the pooler together, and nobody else by the same', () => {
    const limits = limitPooledRoles(catalogueOf(), 461).logins.map(({ name, connectionLimit }) => `${name} ${connectionLimit}`);
    expect(limits.filter((limit) => / (461|-1)$/.test(limit))).toEqual([
      'bookedbarber_app 461',
      'bookedbarber_app_alternate 461',
      'bookedbarber_readonly 461',
      'bookedbarber_readonly_alternate 461',
      'bookedbarber_indexes -1',
      'bookedbarber_indexes_alternate -1',
      'pgbouncer_admin -1',
      'pgbouncer_admin_alternate -1',
    ]);
  });

  it('names roles after the database', () => {
    const change = { database: { ...environments.staging.database, databaseName: 'salon' } };
    const { owner, groups } = catalogueOf(change);
    expect([owner, ...groups.map(({ name }) => name), login('salon_migrations', change).settings.role]).toEqual([
      'salon_owner', 'salon_owner', 'salon_readwrite', 'salon_read', 'salon_owner',
    ]); // prettier-ignore
  });

  it('takes the timeouts and iterations of the application from the configuration', () => {
    const roles = {
      applicationScramIterations: 4096,
      applicationStatementTimeoutMs: 5000,
      applicationTransactionTimeoutMs: 15_000,
    };
    expect(login('bookedbarber_app', { roles })).toMatchObject({
      scramIterations: 4096,
      settings: {
        statement_timeout: '5000ms',
        transaction_timeout: '15000ms',
        idle_in_transaction_session_timeout: '30s',
      },
    });
  });

  it('gives the fewer iterations to the application only: reporting tools may refuse them', () => {
    const few = catalogueOf().logins.filter(({ scramIterations }) => scramIterations < 4096);
    expect(few.map(({ name }) => name)).toEqual(['bookedbarber_app', 'bookedbarber_app_alternate']);
  });

  it('limits the length of transactions of every role that shares the pool', () => {
    const pooled = catalogueOf().logins.filter(
      ({ logsInTo }) => logsInTo.includes('database') && logsInTo.includes('pooler'),
    );
    expect(pooled.map(({ settings }) => settings.transaction_timeout)).toEqual([
      '60000ms',
      '60000ms',
      '60000ms',
      '60000ms',
      '20s',
      '20s',
    ]);
  });
});

describe('the problems of roles', () => {
  const problems = (change: Partial<TierConfig>) =>
    roleProblems(resolve(change)).map(({ field, message }) => `${field}: ${message}`);

  it('are none in any environment', () => {
    for (const [name, config] of Object.entries(environments))
      expect(roleProblems(resolveConfig(name, config))).toEqual([]);
  });

  it('name every value that is out of range, with its limit', () => {
    const roles = {
      applicationScramIterations: 0,
      applicationStatementTimeoutMs: -1,
      applicationTransactionTimeoutMs: 0.5,
    };
    expect(problems({ roles })).toEqual([
      "roles.applicationScramIterations: 0 is not a whole number from 1 to 1000000 (SCRAM iterations; PostgreSQL's default is 4096)",
      'roles.applicationStatementTimeoutMs: -1 is not a whole number from 1 to 2147483647 (milliseconds)',
      'roles.applicationTransactionTimeoutMs: 0.5 is not a whole number from 1 to 2147483647 (milliseconds)',
    ]);
  });

  it('tell of a statement timeout that the transaction timeout makes useless', () => {
    expect(problems({ roles: { applicationStatementTimeoutMs: 90_000 } })).toEqual([
      'roles.applicationStatementTimeoutMs: 90000 ms would never be reached: transactions end after applicationTransactionTimeoutMs (60000); lower it to at most that',
    ]);
  });

  it('tell of a role name that PostgreSQL would cut', () => {
    const databaseName = 'a'.repeat(43);
    expect(problems({ database: { ...environments.staging.database, databaseName } })).toEqual([
      `database.databaseName: the role "${databaseName}_migrations_alternate" would have 64 bytes; PostgreSQL cuts names at 63: shorten the database name by 1`,
    ]);
  });

  it('tell of a role name that PostgreSQL keeps for itself', () => {
    const found = problems({ database: { ...environments.staging.database, databaseName: 'pg' } });
    expect(found[0]).toBe(
      'database.databaseName: the role "pg_owner" would begin with "pg_", which PostgreSQL keeps for itself; choose another database name',
    );
  });
});
