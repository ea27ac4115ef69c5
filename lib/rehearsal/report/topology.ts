import type { TierUnderRehearsal } from '../deployment/tier-under-rehearsal';
import type { Topology, TopologyNode } from './measurements';

/** What runs here, from the clients to the databases. */
export function topologyOf({ pooler, databases }: TierUnderRehearsal): Topology {
  const { primary, replicas, hasStandby } = databases;
  const clients: TopologyNode = { id: 'clients', column: 0, title: 'pgbench', details: [`${pooler.addresses.length} application hosts`] };
  const balancer: TopologyNode = { id: 'balancer', column: 1, title: 'load balancer', details: ['haproxy'] };
  const tasks = pooler.tasks.map(({ name, address, port }): TopologyNode => ({ id: name, column: 2, title: `PgBouncer ${name}`, details: [`${address}:${port}`] }));
  const instances = [primary, ...replicas].map(({ identifier, role, instanceClass, server }): TopologyNode => ({ id: identifier, column: 3, title: identifier, details: [`${role}, ${instanceClass}`, `${server.address}:${server.port}`] }));
  const standby: readonly TopologyNode[] = hasStandby ? [{ id: 'standby', column: 4, title: 'Multi-AZ standby', details: [`of ${primary.identifier}`, 'synchronous'] }] : [];
  return {
    nodes: [clients, balancer, ...tasks, ...instances, ...standby],
    links: [
      { from: clients.id, to: balancer.id },
      ...tasks.map(({ id }) => ({ from: balancer.id, to: id })),
      ...tasks.flatMap((task) => instances.map(({ id }) => ({ from: task.id, to: id }))),
      ...[...replicas.map(({ identifier }) => identifier), ...standby.map(({ id }) => id)].map((to) => ({ from: primary.identifier, to })),
    ],
  };
}
