import type { AssemblyStack } from '../../assembly/environment-assembly';
import { type ResolutionContext, resolveIntrinsics } from '../../assembly/resolve-intrinsics';
import { inDependencyOrder, type Resource } from '../../assembly/template';
import { observeProperties } from './observed-properties';

/** How a resource was brought up here. */
export type Fidelity = 'as it is' | 'imitated' | 'not rehearsed';

/** A resource that exists: what `Ref` and `Fn::GetAtt` of it give. */
export interface MadeResource {
  readonly ref: string;
  readonly attributes?: Readonly<Record<string, unknown>>;
  /** By what it was imitated, in a few words. @default - as every resource of its type */
  readonly how?: string;
  /** What of it is smaller or shorter here than in the template, and why, one sentence each. @default - nothing */
  readonly scaled?: readonly string[];
  /** Why nothing of it has run so far; undefined once something has. @default - something has */
  readonly idle?: () => string | undefined;
}

/** What became of a resource of the template here. */
export interface RehearsedResource {
  readonly stackName: string;
  readonly logicalId: string;
  readonly type: string;
  /** Where it stands in the CDK app; undefined if the template does not tell. */
  readonly constructPath?: string;
  readonly fidelity: Fidelity;
  /** @default - as every resource of its type */
  readonly how?: string;
  readonly scaled: readonly string[];
  /** Why nothing of it has run so far; undefined if something has. */
  readonly idle: () => string | undefined;
  /** Where in its properties is what has had no effect so far; empty for one that is not rehearsed at all. */
  readonly unreadProperties: () => readonly string[];
}

/** A resource whose turn has come, with every intrinsic of its properties resolved. */
export interface ResourceRequest {
  readonly logicalId: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly stack: AssemblyStack;
}

/** Brings resources of one type up on this machine. */
export interface ResourceMaker {
  readonly fidelity: Exclude<Fidelity, 'not rehearsed'>;
  make(request: ResourceRequest): Promise<MadeResource> | MadeResource;
}

/** Finds the maker for a resource; undefined if nothing here can bring it up. */
export type MakerOf = (resource: Resource) => ResourceMaker | undefined;

/** The account in which a rehearsal pretends to be. */
const pseudoParameters: Readonly<Record<string, string>> = {
  'AWS::AccountId': '000000000000',
  'AWS::Region': 'eu-central-1',
  'AWS::Partition': 'aws',
  'AWS::URLSuffix': 'amazonaws.com',
};

/**
 * Makes the resources of stacks in the order in which CloudFormation would. A type that no maker knows gets a
 * placeholder, and is remembered as not rehearsed; so is every property that no maker reads.
 */
export class Deployment {
  private readonly outputs = new Map<string, unknown>();
  private readonly rehearsed: RehearsedResource[] = [];

  constructor(
    private readonly makerOf: MakerOf,
    /** Called before each resource. */
    private readonly onMake: (request: ResourceRequest) => void = () => undefined,
  ) {}

  async deploy(stack: AssemblyStack, signal: AbortSignal): Promise<void> {
    const made = new Map<string, MadeResource>();
    const context = this.contextOf(stack, made);
    for (const [logicalId, resource] of inDependencyOrder(stack.template)) {
      signal.throwIfAborted();
      const maker = this.makerOf(resource);
      if (maker) {
        made.set(logicalId, await this.make(maker, logicalId, resource, stack, context));
        continue;
      }
      // Nothing comes of it here, but what CloudFormation would refuse is refused.
      resolveIntrinsics(resource.Properties ?? {}, this.contextOf(stack, made, true), logicalId);
      this.rehearsed.push({ ...placeOf(logicalId, resource, stack), fidelity: 'not rehearsed', scaled: [], idle: () => undefined, unreadProperties: () => [] });
    }
    for (const [name, output] of Object.entries(stack.template.Outputs ?? {})) {
      this.outputs.set(`${stack.stackName}.${name}`, resolveIntrinsics(output.Value, context, `Outputs.${name}`));
    }
  }

  private async make(maker: ResourceMaker, logicalId: string, resource: Resource, stack: AssemblyStack, context: ResolutionContext): Promise<MadeResource> {
    const { properties, unread } = observeProperties(resolveIntrinsics(resource.Properties ?? {}, context, logicalId) as Record<string, unknown>);
    const request = { logicalId, type: resource.Type, properties, stack };
    this.onMake(request);
    try {
      const made = await maker.make(request);
      const { how, scaled = [] } = made;
      this.rehearsed.push({ ...placeOf(logicalId, resource, stack), fidelity: maker.fidelity, ...(how && { how }), scaled, idle: () => made.idle?.(), unreadProperties: unread });
      return made;
    } catch (error) {
      throw new Error(`${resource.Type} ${logicalId} of ${stack.stackName}: ${(error as Error).message}`, { cause: error });
    }
  }

  /** Value of a stack's output; undefined if it has none of that name. */
  output(stackName: string, name: string): unknown {
    return this.outputs.get(`${stackName}.${name}`);
  }

  /** Every resource of the stacks, in the order in which they were made. */
  get resources(): readonly RehearsedResource[] {
    return this.rehearsed;
  }

  /** @param lenient attributes that no rehearsal needs are placeholders */
  private contextOf(stack: AssemblyStack, made: ReadonlyMap<string, MadeResource>, lenient = false): ResolutionContext {
    const exists = (logicalId: string): boolean => logicalId in stack.template.Resources;
    const pseudo: Readonly<Record<string, string>> = {
      ...pseudoParameters,
      'AWS::StackName': stack.stackName,
      'AWS::StackId': `arn:aws:cloudformation:${pseudoParameters['AWS::Region']}:${pseudoParameters['AWS::AccountId']}:stack/${stack.stackName}/rehearsal`,
    };
    return {
      // Of a parameter nobody gives another value; that of one which is read from SSM does not stand in the template.
      ref: (logicalId) => pseudo[logicalId] ?? parameterDefault(stack, logicalId) ?? made.get(logicalId)?.ref ?? (exists(logicalId) ? logicalId : undefined),
      attribute: (logicalId, attribute) => {
        const resource = made.get(logicalId);
        const value = resource?.attributes?.[attribute];
        if (value !== undefined || (resource && !lenient)) return value;
        return exists(logicalId) ? `${logicalId}.${attribute}` : undefined;
      },
      stackOutput: (stackName, outputName) => this.output(stackName, outputName),
    };
  }
}

function parameterDefault({ template }: AssemblyStack, name: string): string | undefined {
  const { Type, Default } = template.Parameters?.[name] ?? {};
  return Default === undefined || Type?.startsWith('AWS::SSM::') ? undefined : String(Default);
}

function placeOf(logicalId: string, { Type, Metadata }: Resource, { stackName }: AssemblyStack): Pick<RehearsedResource, 'stackName' | 'logicalId' | 'type' | 'constructPath'> {
  const constructPath = Metadata?.['aws:cdk:path'];
  return { stackName, logicalId, type: Type, ...(typeof constructPath === 'string' && { constructPath }) };
}
