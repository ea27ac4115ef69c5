import { join } from 'node:path';

import { pgbouncerSettingTypes, type SettingType } from '../../../lib/tier/pooler/pgbouncer-setting-catalogue';
import { poolerEnvironment } from '../../../lib/tier/pooler/pooler.contract';
import { password, templateEnvironment } from './pooled-databases';
import { PoolerProcess } from './pooler-process';

const { settingPrefix, serverTlsCaFile } = poolerEnvironment;

/** Those whose value the entrypoint writes itself, and those without which this test could not look. */
const kept = new Set([
  ...['auth_file', 'client_tls_ca_file', 'client_tls_cert_file', 'client_tls_key_file', 'listen_addr', 'server_tls_ca_file', 'unix_socket_dir'],
  ...['admin_users', 'auth_type', 'client_tls_sslmode', 'disable_pqexec', 'listen_port', 'max_client_conn', 'user', 'unix_socket_group'],
]);

/** What free text may be, other than by default. Files must exist, or may be left out. */
const texts: Readonly<Record<string, string>> = {
  auth_dbname: 'bookedbarber',
  auth_hba_file: '/dev/null',
  auth_ident_file: '/dev/null',
  auth_query: 'SELECT 1',
  auth_user: 'somebody',
  client_tls_ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  client_tls_dheparams: 'none',
  client_tls_ecdhcurve: 'prime256v1',
  client_tls_protocols: 'tlsv1.3',
  ignore_startup_parameters: 'extra_float_digits,options',
  job_name: 'another',
  logfile: '/dev/null',
  pidfile: '',
  resolv_conf: '/dev/null',
  server_check_query: 'SELECT 2',
  server_reset_query: 'DISCARD ALL',
  server_tls_cert_file: '',
  server_tls_ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  server_tls_key_file: '',
  server_tls_protocols: 'tlsv1.2',
  stats_users: 'bookedbarber_collector',
  syslog_facility: 'local1',
  syslog_ident: 'another',
  track_extra_parameters: 'IntervalStyle,search_path',
  unix_socket_mode: '0700',
};
/** PgBouncer tells file modes in decimal. */
const shownAs = (name: string, value: string): string => (name === 'unix_socket_mode' ? String(parseInt(value, 8)) : value);

/** The values of each start: the least and the most of every range, and every choice in turn. */
const starts = ['least', 'second', 'third', 'fourth', 'fifth', 'most'] as const;

function valueAt(start: number, name: string, type: SettingType): string {
  if (type.kind === 'text') return texts[name]!;
  const values = type.kind === 'choice' ? type.choices : [`${type.least}`, `${type.most}`];
  return values[start === starts.length - 1 ? values.length - 1 : start % values.length]!;
}

it.each([...starts.entries()])('every setting that the catalogue allows is what PgBouncer says it runs with (%i: the %s of each)', async (start) => {
  const wanted = Object.entries(pgbouncerSettingTypes)
    .filter(([name]) => !kept.has(name))
    .map(([name, type]) => [name, valueAt(start, name, type)] as const);
  const pooler = await PoolerProcess.start('127.33.63.1', {
    ...templateEnvironment(),
    [serverTlsCaFile]: join(__dirname, '../../../assets/pgbouncer/rds-ca.pem'),
    ...Object.fromEntries(wanted.map(([name, value]) => [`${settingPrefix}${name.toUpperCase()}`, value])),
  });
  try {
    const console = await pooler.connect('pgbouncer_admin', password, 'pgbouncer');
    const { rows } = await console.query<{ key: string; value: string }>('SHOW CONFIG');
    await console.end();
    const shown = new Map(rows.map(({ key, value }) => [key, value]));
    expect(wanted.map(([name]) => `${name} = ${shown.get(name)}`)).toEqual(wanted.map(([name, value]) => `${name} = ${shownAs(name, value)}`));
  } finally {
    await pooler.stop();
  }
});
