import type { Resource } from '../../assembly/template';
import { poolerContainerName, poolerEnvironment } from '../../tier/pooler/pooler.contract';
import { type EnvironmentComparison, referencesOver, resourcesOfType, type Side } from '../comparison';

/** True for an instance that follows another one. */
export function isReplica(resource: Resource | undefined): boolean {
  return resource?.Type === 'AWS::RDS::DBInstance' && resource.Properties?.['SourceDBInstanceIdentifier'] !== undefined;
}

export interface PoolerAlias {
  readonly alias: string;
  /** Its line of the ini, intrinsics and all. */
  readonly value: unknown;
}

/** Variables of the container that runs PgBouncer. */
export function poolerVariables(comparison: EnvironmentComparison, side: Side): Readonly<Record<string, unknown>> {
  const containers = resourcesOfType(comparison, side, 'AWS::ECS::TaskDefinition').flatMap(([, { Properties }]) => (Properties?.['ContainerDefinitions'] ?? []) as readonly Container[]);
  const variables = containers.find(({ Name }) => Name === poolerContainerName)?.Environment ?? [];
  return Object.fromEntries(variables.map(({ Name, Value }) => [Name, Value]));
}

interface Container {
  readonly Name?: string;
  readonly Environment?: readonly { readonly Name: string; readonly Value: unknown }[];
}

/** The databases that PgBouncer offers. */
export function poolerAliases(comparison: EnvironmentComparison, side: Side): readonly PoolerAlias[] {
  return Object.entries(poolerVariables(comparison, side))
    .filter(([name]) => name.startsWith(poolerEnvironment.databasePrefix))
    .map(([name, value]) => ({ alias: name.slice(poolerEnvironment.databasePrefix.length).toLowerCase(), value }));
}

/** Instances whose parameter group it is. */
export function instancesOfGroup(comparison: EnvironmentComparison, side: Side, groupId: string): readonly (readonly [logicalId: string, instance: Resource])[] {
  return resourcesOfType(comparison, side, 'AWS::RDS::DBInstance').filter(([, { Properties }]) => referencesOver(comparison, side, Properties?.['DBParameterGroupName']).includes(groupId));
}
