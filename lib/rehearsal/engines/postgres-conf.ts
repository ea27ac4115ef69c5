/**
 * Lines of a postgresql.conf, quoted as PostgreSQL reads them.
 *
 * @see https://www.postgresql.org/docs/17/config-setting.html#CONFIG-SETTING-CONFIGURATION-FILE
 */
export function renderPostgresqlConf(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} = '${escape(value)}'\n`)
    .join('');
}

function escape(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/'/g, "''").replace(/\n/g, '\\n');
}

/** A connection string of libpq. https://www.postgresql.org/docs/17/libpq-connect.html#LIBPQ-CONNSTRING-KEYWORD-VALUE */
export function renderConnectionString(keywords: Readonly<Record<string, string | number>>): string {
  return Object.entries(keywords)
    .map(([keyword, value]) => `${keyword}=${value}`)
    .join(' ');
}
