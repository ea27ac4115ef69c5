/** Where a client connects; the password is in the role's secret, never here. */
export interface ConnectionTarget {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /**
   * `require`: the pooler's certificate is made at the start of a task and cannot be verified.
   * `verify-full`: the instance's certificate is signed by RDS's own authority, the pooler's by the team's, if it has one.
   *
   * @see https://www.postgresql.org/docs/17/libpq-ssl.html
   */
  readonly sslmode: 'require' | 'verify-full';
}

/** A libpq connection URI without user and password. */
export function connectionUrl({ host, port, database, sslmode }: ConnectionTarget): string {
  return `postgresql://${host}:${port}/${database}?sslmode=${sslmode}`;
}
