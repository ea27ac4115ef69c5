import { createServer } from 'node:net';

import type { AssemblyStack } from '../../assembly/environment-assembly';

/** Ports on which something of the template listens, as far as they stand in it as numbers. */
export function portsOf(stacks: readonly AssemblyStack[]): readonly number[] {
  const ports = stacks.flatMap(({ template }) =>
    Object.values(template.Resources).flatMap(({ Type, Properties = {} }): readonly unknown[] => {
      if (Type === 'AWS::RDS::DBInstance' || Type === 'AWS::ElasticLoadBalancingV2::Listener') return [Properties.Port];
      if (Type !== 'AWS::ECS::TaskDefinition') return [];
      const { ContainerDefinitions: containers = [] } = Properties as { ContainerDefinitions?: readonly { PortMappings?: readonly { ContainerPort?: unknown }[] }[] };
      return containers.flatMap(({ PortMappings = [] }) => PortMappings.map(({ ContainerPort }) => ContainerPort));
    }),
  );
  return [...new Set(ports.map(Number).filter((port) => Number.isInteger(port) && port > 0))].sort((one, other) => one - other);
}

/** @throws Error with every port of the address on which somebody listens, and how to find out who */
export async function assertPortsFree(address: string, ports: readonly number[]): Promise<void> {
  const used: number[] = [];
  for (const port of ports) if (!(await isFree(address, port))) used.push(port);
  if (used.length === 0) return;
  const all = used.map((port) => `sport = :${port}`).join(' or ');
  throw new Error(
    `${used.map((port) => `${address}:${port}`).join(' and ')} ${used.length === 1 ? 'is' : 'are'} in use by another program, which may listen on every address of this machine; ` +
      `stop it, or let it listen on 127.0.0.1 alone. Who it is: ss -ltnp '${all}'`,
  );
}

function isFree(address: string, port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(false) : reject(error)));
    server.listen(port, address, () => server.close(() => resolve(true)));
  });
}
