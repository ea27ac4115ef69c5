/** A container of a task definition, as far as it is read here. */
export interface ContainerDefinition {
  readonly Name: string;
  readonly Image: string;
  readonly Environment?: readonly { readonly Name: string; readonly Value: string }[];
  readonly Secrets?: readonly { readonly Name: string; readonly ValueFrom: string }[];
  readonly PortMappings?: readonly { readonly ContainerPort: number }[];
  readonly HealthCheck?: { readonly Interval?: number; readonly Retries?: number };
  /** Seconds that the task has between SIGTERM and SIGKILL. */
  readonly StopTimeout?: number;
  readonly Ulimits?: readonly { readonly Name: string; readonly HardLimit: number; readonly SoftLimit: number }[];
}

/** Where a service registers its tasks with a target group. */
export interface MappedPort {
  readonly ContainerName: string;
  readonly ContainerPort: number;
}

/** @throws Error if the container has another name, or does not map the port: ECS refuses the service then */
export function assertMapsPort({ Name, PortMappings = [] }: ContainerDefinition, { ContainerName, ContainerPort }: MappedPort): void {
  const mapped = PortMappings.map((mapping) => mapping.ContainerPort);
  if (ContainerName === Name && mapped.includes(ContainerPort)) return;
  throw new Error(`it registers port ${ContainerPort} of container "${ContainerName}", and the task has container "${Name}" with port ${mapped.join(', ') || 'none'}`);
}
