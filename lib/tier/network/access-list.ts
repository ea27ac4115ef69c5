import type { NetworkConfig } from '../../config/tier-config';

/** Everything in the tier that has a security group of its own. */
export const parties = ['balancer', 'pooler', 'primary', 'replicas', 'bootstrap', 'indexes', 'collector', 'rotation', 'smokeCheck'] as const;
export type Party = (typeof parties)[number];

/** The port on which every instance listens. */
export const postgresPort = 5432;
/** The port on which the balancer and the pooler listen: PgBouncer's own. */
export const poolerPort = 6432;
const httpsPort = 443;

/** Someone outside the tier: a CIDR block or the id of a security group. */
export interface Outsider {
  readonly name: string;
  readonly peer: string;
}

/** One permission: `from` may open TCP connections to `to` on `port`. */
export interface Access {
  readonly from: Party | Outsider;
  /** `'aws'`: the services that a task or function needs to run at all (ECR, Secrets Manager, CloudWatch Logs, RDS). */
  readonly to: Party | 'aws';
  readonly port: number;
  readonly why: string;
}

/**
 * Who may talk to whom, whole. Nothing else is open: no construct adds rules of its own, and a test compares the
 * rules in the templates with this list.
 */
export function accessList(network: Pick<NetworkConfig, 'applications' | 'migrationClients'>): readonly Access[] {
  const outsiders = (peers: Readonly<Record<string, string>> = {}): Outsider[] =>
    Object.entries(peers).map(([name, peer]) => ({ name, peer }));
  return [
    ...outsiders(network.applications).map(
      (from): Access => ({ from, to: 'balancer', port: poolerPort, why: `application ${from.name}: pooled connections` }),
    ),
    ...outsiders(network.migrationClients).map(
      (from): Access => ({ from, to: 'primary', port: postgresPort, why: `migration client ${from.name}: schema changes` }),
    ),
    { from: 'balancer', to: 'pooler', port: poolerPort, why: 'client connections and health checks' },
    { from: 'pooler', to: 'primary', port: postgresPort, why: 'server connections of the read-write alias' },
    { from: 'pooler', to: 'replicas', port: postgresPort, why: 'server connections of the read-only alias' },
    { from: 'bootstrap', to: 'primary', port: postgresPort, why: 'creates roles and extensions' },
    { from: 'indexes', to: 'primary', port: postgresPort, why: 'builds indexes' },
    { from: 'collector', to: 'pooler', port: poolerPort, why: 'admin consoles: metrics, and the report on demand' },
    { from: 'collector', to: 'primary', port: postgresPort, why: 'metrics, and the report on demand' },
    { from: 'collector', to: 'replicas', port: postgresPort, why: 'metrics, and the report on demand' },
    { from: 'rotation', to: 'primary', port: postgresPort, why: 'sets passwords' },
    { from: 'rotation', to: 'pooler', port: poolerPort, why: 'asks every task whether it lets a new password in' },
    { from: 'smokeCheck', to: 'balancer', port: poolerPort, why: 'a write and a read at the end of a deploy' },
    { from: 'pooler', to: 'aws', port: httpsPort, why: 'image, secrets and logs' },
    { from: 'bootstrap', to: 'aws', port: httpsPort, why: 'secrets' },
    { from: 'indexes', to: 'aws', port: httpsPort, why: 'secrets and the state of the instances' },
    { from: 'collector', to: 'aws', port: httpsPort, why: 'secrets, the list of tasks and the state of the instances' },
    { from: 'rotation', to: 'aws', port: httpsPort, why: 'secrets, and the replacement of tasks' },
    { from: 'smokeCheck', to: 'aws', port: httpsPort, why: 'secrets and the state of the instances' },
  ];
}
