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

/** Of one process. */
export interface HaproxySettings extends BalancerSettings {
  /** Path of the socket on which it takes commands. */
  readonly socket: string;
}

/** What every target is told to haproxy with, at its start or later. */
const checked = 'check inter 10s';
const proxy = 'balancer';

/**
 * The configuration of haproxy that does what a TCP listener of a network load balancer does. On one machine every
 * client has the same address, so hosts are told apart by the address that they connect to.
 *
 * @see https://docs.haproxy.org/3.0/configuration.html
 */
export function renderHaproxyConfig({ addresses, port, targets, sticky, idleTimeoutSeconds, maxSessions, socket }: HaproxySettings): string {
  return [
    'global',
    '  nbthread 1',
    `  stats socket ${socket} mode 600 level admin`,
    `  maxconn ${maxSessions}`,
    '',
    'defaults',
    '  mode tcp',
    `  maxconn ${maxSessions}`,
    '  timeout connect 5s',
    // A network load balancer hands a refusal on to the client; haproxy would ask the same target again for 3 s.
    '  retries 0',
    `  timeout client ${idleTimeoutSeconds}s`,
    `  timeout server ${idleTimeoutSeconds}s`,
    '',
    `listen ${proxy}`,
    ...addresses.map((address) => `  bind ${address}:${port}`),
    '  balance roundrobin',
    ...(sticky ? ['  stick-table type ip size 1k', '  stick on dst'] : []),
    ...targets.map((target) => `  server ${target} ${target} ${checked}`),
    '',
  ].join('\n');
}

/** Commands to a running haproxy that bring a target in. */
export function addTarget(target: string): readonly string[] {
  return [`add server ${proxy}/${target} ${target} ${checked}`, `enable health ${proxy}/${target}`, `enable server ${proxy}/${target}`];
}

/** Commands that send nobody new to a target, and leave its connections alone. */
export function removeTarget(target: string): readonly string[] {
  return [`disable health ${proxy}/${target}`, `set server ${proxy}/${target} state maint`];
}
