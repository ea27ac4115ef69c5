/** A name that clients connect to, and the servers behind it. */
export interface PoolerDatabase {
  readonly alias: string;
  /** One or more. With several, each new server connection goes to the next, and past one that does not answer. */
  readonly hosts: readonly string[];
  readonly port: number;
  readonly databaseName: string;
  /** Server connections that one task opens for all users together. */
  readonly maxDbConnections: number;
  /** Whether a task that cannot reach it refuses to start. */
  readonly requiredAtStart: boolean;
}

/**
 * The value of an entry of PgBouncer's `[databases]` section.
 *
 * @throws Error without a host: reads would otherwise have to fall on the primary unnoticed
 * @see https://www.pgbouncer.org/config.html#section-databases
 */
export function renderPoolerDatabase({ alias, hosts, port, databaseName, maxDbConnections }: PoolerDatabase): string {
  if (hosts.length === 0) throw new Error(`${alias} has no instance behind it; keep one replica that is not retiring`);
  return [
    `host=${hosts.join(',')}`,
    `port=${port}`,
    `dbname=${databaseName}`,
    ...(hosts.length > 1 ? ['load_balance_hosts=round-robin'] : []),
    // pool_size is for each user and would multiply; max_db_connections caps all users of the alias together.
    `pool_size=${maxDbConnections}`,
    `max_db_connections=${maxDbConnections}`,
  ].join(' ');
}

/**
 * How the servers' certificates are checked. The authorities are those of RDS alone; with `verify-full`, the name of
 * the instance must match too. Before 1.25, PgBouncer compares it with the whole list of an alias that has several
 * hosts, and would reach none of them.
 *
 * @see https://github.com/pgbouncer/pgbouncer/issues/1300
 */
export function serverTlsSslmode(databases: readonly PoolerDatabase[]): 'verify-full' | 'verify-ca' {
  return databases.some(({ hosts }) => hosts.length > 1) ? 'verify-ca' : 'verify-full';
}
