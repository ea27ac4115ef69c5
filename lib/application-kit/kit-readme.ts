import { dirname } from 'node:path';

import type { TierFacts } from './tier-facts';

/** Connections of one process with both of the kit's pools at their largest: 20 + 40, for reads and for writes. */
const connectionsPerProcess = 120;
/** pgjdbc refuses fewer. */
const pgjdbcIterations = 4096;

/**
 * The kit's README for an environment.
 *
 * @param text with `{{names}}` in place of what differs
 * @throws Error for a name that nothing here fills
 */
export function renderReadme(text: string, facts: TierFacts): string {
  const values = readmeValues(facts);
  return text.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`README.md of the application kit asks for {{${name}}}, which nothing fills`);
    return value;
  });
}

function readmeValues({ environment, endpoints, sslmode, readOnlyDatabase, pooler, applicationRole }: TierFacts): Readonly<Record<string, string>> {
  const prepares = pooler.maxPreparedStatements > 0;
  const timeout = (name: string): string => duration(applicationRole.settings[name] ?? '0');
  return {
    environment,
    parameterPrefix: dirname(endpoints.DATABASE_URL.parameter),
    endpointRows: Object.entries(endpoints)
      .map(([name, { parameter, stack, output, value }]) => `| \`${name}\` | \`${parameter}\` | \`${output}\` of \`${stack}\`${value === null ? '' : `: \`${value}\``} |`)
      .join('\n'),
    queryWaitTimeoutSeconds: `${pooler.queryWaitTimeoutSeconds}`,
    sslmode,
    sslmodeMeaning: sslmode.startsWith('verify-')
      ? "the pooler's certificate is verified, by the authorities in `pooler-ca.pem`; `PGSSLROOTCERT` or the URL's `sslrootcert` may name others. What does not use the kit's code needs `&sslrootcert=…/pooler-ca.pem` at the end of the URL"
      : "encrypted; the pooler's certificate is made when a task starts, so nobody can verify it",
    asyncpgCache: prepares ? 'on, its default' : 'off (`statement_cache_size=0`, unique names)',
    preparedMeaning: prepares ? `the pooler follows ${pooler.maxPreparedStatements} prepared statements on each server connection` : 'the pooler follows no prepared statements',
    psycopgThreshold: prepares ? '5, its default' : '`None`',
    clientsPerTask: pooler.maxClientConnections.toLocaleString('en-US'),
    processes: `${Math.floor(pooler.maxClientConnections / connectionsPerProcess)}`,
    readOnlyDatabase,
    statementTimeout: timeout('statement_timeout'),
    transactionTimeout: timeout('transaction_timeout'),
    idleInTransactionTimeout: timeout('idle_in_transaction_session_timeout'),
    ignoredStartupParameters: pooler.ignoredStartupParameters === '' ? 'none' : `\`${pooler.ignoredStartupParameters}\``,
    preparedStatements: prepares ? 'prepared statements of drivers' : 'statements with parameters, prepared for one transaction at most',
    nodePrepared: prepares ? 'work' : 'do not work',
    jdbcPrepared: prepares ? 'work' : '`prepareThreshold=0`',
    scramIterations: `${applicationRole.scramIterations}`,
    jdbcIterations:
      applicationRole.scramIterations < pgjdbcIterations ? `, and pgjdbc refuses fewer than ${pgjdbcIterations}: use another role, or raise \`roles.applicationScramIterations\`` : '',
  };
}

/** `30000ms` is 30 s for a person. */
function duration(setting: string): string {
  const [, amount, unit] = /^(\d+)(ms|s|min|h)?$/.exec(setting) ?? [];
  if (Number(amount) === 0) return 'for ever (no limit)';
  return unit === 'ms' || unit === undefined ? `${Number(amount) / 1000} s` : `${amount} ${unit}`;
}
