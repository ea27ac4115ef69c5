import { isDeepStrictEqual } from 'node:util';

import type { AssemblyStack } from '../assembly/environment-assembly';
import { resolveIntrinsics, type ResolutionContext } from '../assembly/resolve-intrinsics';
import type { Resource } from '../assembly/template';
import { type EndpointName, verifiedPoolerNames } from '../tier/endpoints/endpoints.contract';
import { poolerContainerName, poolerEnvironment } from '../tier/pooler/pooler.contract';
import { type LoginRoleProperties, rolesResourceType } from '../tier/roles/roles.contract';

/** What `cdk deploy --outputs-file` writes: outputs by stack. */
export type StackOutputs = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** What an application and its migrations need; the tier publishes more, for operators. */
export const kitEndpointNames = ['DATABASE_URL', 'READ_REPLICA_URL', 'APPLICATION_SECRET_ARN', 'MIGRATIONS_DATABASE_URL', 'MIGRATIONS_SECRET_ARN'] as const satisfies readonly EndpointName[];
export type KitEndpointName = (typeof kitEndpointNames)[number];

/** Where an application finds one of the values that the tier publishes. */
export interface EndpointFact {
  /** Name of the SSM parameter. */
  readonly parameter: string;
  readonly stack: string;
  /** Name of the stack output. */
  readonly output: string;
  /** Known after a deploy only. */
  readonly value: string | null;
}

/** What an application must know of an environment, as its template says it. */
export interface TierFacts {
  readonly environment: string;
  readonly endpoints: Readonly<Record<KitEndpointName, EndpointFact>>;
  /** `sslmode` of the pooled URLs. */
  readonly sslmode: string;
  /** The pooler's name of the replicas. */
  readonly readOnlyDatabase: string;
  readonly pooler: {
    /** On each server connection; 0 is none. */
    readonly maxPreparedStatements: number;
    readonly queryWaitTimeoutSeconds: number;
    /** Of each task. */
    readonly maxClientConnections: number;
    readonly ignoredStartupParameters: string;
  };
  readonly applicationRole: {
    readonly scramIterations: number;
    /** As in PostgreSQL, for example `statement_timeout: '30000ms'`. */
    readonly settings: Readonly<Record<string, string>>;
  };
}

/**
 * Reads what applications must know from the stacks of an environment.
 *
 * @param outputs of the deployed stacks; without them the values are null
 * @throws Error that names what the template lacks, or what the outputs do
 */
export function readTierFacts(environment: string, stacks: readonly AssemblyStack[], outputs?: StackOutputs): TierFacts {
  const pooledUrl = new URL(parameterOf('DATABASE_URL', stacks).text);
  const named = new Map(kitEndpointNames.map((name) => [name, endpointFact(name, stacks, outputs)] as const));
  const setting = poolerSettings(stacks);
  const { ScramIterations, Settings } = applicationRole(stacks);
  return {
    environment,
    endpoints: Object.fromEntries(named) as Readonly<Record<KitEndpointName, EndpointFact>>,
    sslmode: pooledUrl.searchParams.get('sslmode') ?? 'require',
    readOnlyDatabase: new URL(parameterOf('READ_REPLICA_URL', stacks).text).pathname.slice(1),
    pooler: {
      maxPreparedStatements: Number(setting('MAX_PREPARED_STATEMENTS')),
      queryWaitTimeoutSeconds: Number(setting('QUERY_WAIT_TIMEOUT')),
      maxClientConnections: Number(setting('MAX_CLIENT_CONN')),
      ignoredStartupParameters: setting('IGNORE_STARTUP_PARAMETERS'),
    },
    applicationRole: { scramIterations: Number(ScramIterations), settings: Settings },
  };
}

/** The authorities by which clients verify the pooler, PEM; undefined where nobody can. */
export function readPoolerAuthorities(stacks: readonly AssemblyStack[]): string | undefined {
  return findParameter(verifiedPoolerNames.authorities, stacks)?.text;
}

interface PublishedParameter {
  readonly stack: AssemblyStack;
  readonly path: string;
  /** As it stands in the template. */
  readonly value: unknown;
  /** What is known before the deploy only by name is `unknown`. */
  readonly text: string;
}

function endpointFact(name: EndpointName, stacks: readonly AssemblyStack[], outputs: StackOutputs | undefined): EndpointFact {
  const { stack, path, value } = parameterOf(name, stacks);
  const [output] = Object.entries(stack.template.Outputs ?? {}).find(([, { Value }]) => isDeepStrictEqual(Value, value)) ?? [];
  if (output === undefined) throw new Error(`stack ${stack.stackName} has no output with the value of the SSM parameter ${path}`);
  const deployed = outputs?.[stack.stackName]?.[output];
  if (outputs && deployed === undefined) {
    throw new Error(
      `the outputs have no ${stack.stackName}.${output}; they have ${Object.keys(outputs).join(', ') || 'no stack'}: ` +
        'take the file that "cdk deploy --outputs-file" wrote for this environment',
    );
  }
  return { parameter: path, stack: stack.stackName, output, value: deployed ?? null };
}

function parameterOf(name: EndpointName, stacks: readonly AssemblyStack[]): PublishedParameter {
  const parameter = findParameter(name, stacks);
  if (!parameter) throw new Error(`the template publishes no SSM parameter …/${name}`);
  return parameter;
}

function findParameter(name: string, stacks: readonly AssemblyStack[]): PublishedParameter | undefined {
  for (const stack of stacks) {
    for (const { Type, Properties } of Object.values(stack.template.Resources)) {
      const { Name: path, Value: value } = Properties ?? {};
      if (Type !== 'AWS::SSM::Parameter' || typeof path !== 'string' || !path.endsWith(`/${name}`)) continue;
      return { stack, path, value, text: String(resolveIntrinsics(value, beforeDeploy, path)) };
    }
  }
  return undefined;
}

/** What only a deploy knows has a stand-in that is valid in a URL. */
const beforeDeploy: ResolutionContext = { ref: () => 'unknown', attribute: () => 'unknown', stackOutput: () => 'unknown' };

interface Container {
  readonly Name: string;
  readonly Environment?: readonly { readonly Name: string; readonly Value: unknown }[];
}

function poolerSettings(stacks: readonly AssemblyStack[]): (name: string) => string {
  const container = ofType('AWS::ECS::TaskDefinition', stacks)
    .flatMap(({ Properties }) => Properties?.ContainerDefinitions as readonly Container[])
    .find(({ Name }) => Name === poolerContainerName);
  if (!container) throw new Error(`the template has no container "${poolerContainerName}"`);
  return (name) => {
    const variable = container.Environment?.find(({ Name }) => Name === `${poolerEnvironment.settingPrefix}${name}`);
    if (typeof variable?.Value !== 'string') throw new Error(`the template's pooler has no setting ${name.toLowerCase()}`);
    return variable.Value;
  };
}

/** The first of the roles whose password is in the secret that applications read; those that take turns are alike. */
function applicationRole(stacks: readonly AssemblyStack[]): LoginRoleProperties {
  const { value } = parameterOf('APPLICATION_SECRET_ARN', stacks);
  const roles = ofType(rolesResourceType, stacks).flatMap(({ Properties }) => Object.values(Properties ?? {})) as readonly Partial<LoginRoleProperties>[];
  const role = roles.find(({ Secret }) => Secret !== undefined && isDeepStrictEqual(Secret, value));
  if (!role) throw new Error('none of the roles in the template has its password in the secret of the application');
  return role as LoginRoleProperties;
}

function ofType(type: string, stacks: readonly AssemblyStack[]): readonly Resource[] {
  return stacks.flatMap(({ template }) => Object.values(template.Resources)).filter(({ Type }) => Type === type);
}
