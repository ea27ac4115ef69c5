import type { CertificateAuthority } from './certificate-authority';
import type { RdsIdentity } from './rds-imitation';

export interface PostgresPlace {
  /** Loopback address on which it listens. */
  readonly address: string;
  /** @default 5432 */
  readonly port?: number;
  /** Name in its certificate. @default - the address */
  readonly hostName?: string;
  /**
   * Server settings, as in a parameter group. `rds.*` is not the server's, and where it listens and logs is decided
   * here. @default - PostgreSQL's own
   */
  readonly parameters?: Readonly<Record<string, string>>;
}

export interface PostgresServerOptions extends PostgresPlace {
  /** Signs its certificate. @default - no TLS */
  readonly tls?: CertificateAuthority;
  /** Withhold what RDS withholds. @default - a plain server */
  readonly rds?: RdsIdentity;
  /** A data directory to begin with, as `keepData` left it of a server of the same `rds`. @default - an empty one */
  readonly keptData?: string;
}

export interface StandbyOptions extends PostgresPlace {
  /** Commits on the primary wait for it, until it stops or is promoted. @default false */
  readonly synchronous?: boolean;
}
