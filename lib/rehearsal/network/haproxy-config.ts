/** What a listener and its target group say, and where they are here. */
export interface BalancerSettings {
  readonly addresses: readonly string[];
  readonly port: number;
  /** `address:port` of each task. */
  readonly targets: readonly string[];
  /** All connections of one client host go to one task: `source_ip` stickiness of the target group. */
  readonly sticky: boolean;
  /** A connection without a byte for so long is closed. */
  readonly idleTimeoutSeconds: number;
  /** Sessions at once. */
  readonly maxSessions: number;
}

/**
 * The configuration of haproxy that does what a TCP listener of a network load balancer does. On one machine every
 * client has the same address, so hosts are told apart by the address that they connect to.
 *
 * @see https://docs.haproxy.org/3.0/configuration.html
 */
export function renderHaproxyConfig({ addresses, port, targets, sticky, idleTimeoutSeconds, maxSessions }: BalancerSettings): string {
  return [
    'global',
    '  nbthread 1',
    `  maxconn ${maxSessions}`,
    '',
    'defaults',
    '  mode tcp',
    `  maxconn ${maxSessions}`,
    '  timeout connect 5s',
    `  timeout client ${idleTimeoutSeconds}s`,
    `  timeout server ${idleTimeoutSeconds}s`,
    '',
    'listen balancer',
    ...addresses.map((address) => `  bind ${address}:${port}`),
    '  balance roundrobin',
    ...(sticky ? ['  stick-table type ip size 1k', '  stick on dst'] : []),
    ...targets.map((target, index) => `  server task-${index + 1} ${target} check inter 10s`),
    '',
  ].join('\n');
}
