import { environments } from '../../../lib/config/environments';
import { resolveConfig } from '../../../lib/config/resolve-config';
import { poolerSettingProblems, renderPgbouncerSettings } from '../../../lib/tier/pooler/pgbouncer-settings';
import { pgbouncerSettingTypes, settingValueProblem } from '../../../lib/tier/pooler/pgbouncer-setting-catalogue';
import { roleCatalogue } from '../../../lib/tier/roles/role-catalogue';

const config = resolveConfig('production', environments.production);
const users = { admin: 'pgbouncer_admin', stats: 'bookedbarber_collector' };

function render(settings: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  return renderPgbouncerSettings({ ...config.pooler, settings }, users, []);
}

describe('the settings of a task', () => {
  it('are sorted, with the tier’s defaults under what must hold', () => {
    expect(Object.keys(render())).toEqual(Object.keys(render()).sort());
    expect(render()).toMatchObject({
      pool_mode: 'transaction',
      server_login_retry: '1',
      max_client_conn: '10010',
      ...{ admin_users: users.admin },
    });
  });

  it('take the operator’s value over a default', () => {
    expect(render({ query_wait_timeout: '30', stats_period: '10' })).toMatchObject({
      query_wait_timeout: '30',
      stats_period: '10',
    });
  });

  it('end no session for one keepalive probe that is lost, nor for two', () => {
    const { tcp_keepidle, tcp_keepintvl, tcp_keepcnt, tcp_user_timeout } = render();
    const lastProbeSeconds = Number(tcp_keepidle) + (Number(tcp_keepcnt) - 1) * Number(tcp_keepintvl);
    expect(Number(tcp_keepcnt)).toBeGreaterThanOrEqual(3);
    expect(lastProbeSeconds).toBeLessThan(Number(tcp_user_timeout) / 1000);
  });

  it('are all known, with values that their types allow', () => {
    const problems = Object.entries(render()).flatMap(([name, value]) => {
      const type = pgbouncerSettingTypes[name];
      return type ? (settingValueProblem(type, value) ?? []) : [`${name} is unknown`];
    });
    expect(problems).toEqual([]);
  });

  it('let nobody into the admin console who is not a role of the pooler', () => {
    const poolerRoles = roleCatalogue(config, [])
      .logins.filter(({ logsInTo }) => logsInTo.includes('pooler'))
      .map(({ name }) => name);
    expect(poolerRoles).toEqual(expect.arrayContaining([users.admin, users.stats]));
  });
});

describe('the operator’s settings', () => {
  it.each<[string, Record<string, string>, string]>([
    [
      'an unknown one',
      { max_client_connections: '5' },
      'max_client_connections is not a setting of PgBouncer 1.24; did you mean max_db_client_connections or max_user_client_connections?',
    ],
    [
      'one like no other',
      { fsync: '1' },
      'fsync is not a setting of PgBouncer 1.24; see https://www.pgbouncer.org/config.html',
    ],
    ['a number out of range', { listen_backlog: '0' }, 'listen_backlog = "0" is not a whole number from 1 to 65535'],
    ['a unit', { query_wait_timeout: '15s' }, 'query_wait_timeout = "15s" is not a number of seconds from 1 to 86400'],
    ['clients that wait for ever', { query_wait_timeout: '0' }, 'query_wait_timeout = "0" is not a number of seconds from 1 to 86400'],
    ['a word for a switch', { server_fast_close: 'yes' }, 'server_fast_close = "yes" is not one of 0, 1'],
    [
      'a line break',
      { server_check_query: 'select 1\nauth_type = any' },
      'server_check_query = "select 1\nauth_type = any" holds a line break, which cannot stand in an ini',
    ],
    [
      'a contradiction',
      { pool_mode: 'session' },
      'pool_mode must be transaction, not "session": sessions would need a server connection each; leave it out',
    ],
    [
      'one that has a field of its own',
      { max_client_conn: '5' },
      'max_client_conn is computed from maxClientConnections; leave it out',
    ],
    ['one of the entrypoint', { listen_addr: '*' }, 'listen_addr is set by the entrypoint of the image; leave it out'],
    [
      'one that nobody could work with',
      { disable_pqexec: '1' },
      'disable_pqexec is of no use: it refuses simple queries, and so psycopg2 and the admin console itself; leave it out',
    ],
    [
      'a keepalive that the balancer does not wait for',
      { tcp_keepidle: '7200' },
      'tcp_keepidle = "7200" is no number of seconds below 350, after which the balancer forgets silent clients; lower it',
    ],
    [
      'no keepalive at all',
      { tcp_keepalive: '0' },
      'tcp_keepalive must be 1: the balancer forgets clients that are silent for 350 s; leave it out',
    ],
    [
      'a query for passwords',
      { auth_query: 'SELECT 1' },
      'auth_query is of no use: RDS lets nobody read passwords, the userlist says who may log in; leave it out',
    ],
  ])('are refused with %s', (_title, settings, problem) => {
    expect(poolerSettingProblems({ settings })).toEqual([problem]);
  });

  it('are refused all at once', () => {
    expect(poolerSettingProblems({ settings: { fsync: '1', pool_mode: 'session', stats_period: '-1' } })).toHaveLength(
      3,
    );
  });

  it('may be fractions of a second, repeat what must hold, and free text', () => {
    expect(
      poolerSettingProblems({
        settings: { server_login_retry: '0.5', pool_mode: 'transaction', server_reset_query: 'DISCARD ALL' },
      }),
    ).toEqual([]);
  });
});
