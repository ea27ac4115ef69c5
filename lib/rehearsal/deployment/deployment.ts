import type { AssemblyStack } from '../../assembly/environment-assembly';
import { type ResolutionContext, resolveIntrinsics } from '../../assembly/resolve-intrinsics';
import { inDependencyOrder, type Resource } from '../../assembly/template';

/** How a resource was brought up here. */
export type Fidelity = 'as it is' | 'imitated' | 'not rehearsed';

/** A resource that exists: what `Ref` and `Fn::GetAtt` of it give. */
export interface MadeResource {
  readonly ref: string;
  readonly attributes?: Readonly<Record<string, unknown>>;
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
 * placeholder, and is remembered as not rehearsed.
 */
export class Deployment {
  private readonly outputs = new Map<string, unknown>();
  private readonly fidelities = new Map<string, Fidelity>();

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
      this.fidelities.set(resource.Type, maker?.fidelity ?? 'not rehearsed');
      if (!maker) {
        // Nothing comes of it here, but what CloudFormation would refuse is refused.
        resolveIntrinsics(resource.Properties ?? {}, this.contextOf(stack, made, true), logicalId);
        continue;
      }
      const properties = resolveIntrinsics(resource.Properties ?? {}, context, logicalId) as Record<string, unknown>;
      const request = { logicalId, type: resource.Type, properties, stack };
      this.onMake(request);
      try {
        made.set(logicalId, await maker.make(request));
      } catch (error) {
        throw new Error(`${resource.Type} ${logicalId} of ${stack.stackName}: ${(error as Error).message}`, { cause: error });
      }
    }
    for (const [name, output] of Object.entries(stack.template.Outputs ?? {})) {
      this.outputs.set(`${stack.stackName}.${name}`, resolveIntrinsics(output.Value, context, `Outputs.${name}`));
    }
  }

  /** Value of a stack's output; undefined if it has none of that name. */
  output(stackName: string, name: string): unknown {
    return this.outputs.get(`${stackName}.${name}`);
  }

  /** Every resource type of the stacks, and how it was brought up. */
  get fidelityByType(): ReadonlyMap<string, Fidelity> {
    return this.fidelities;
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
      ref: (logicalId) => pseudo[logicalId] ?? made.get(logicalId)?.ref ?? (exists(logicalId) ? logicalId : undefined),
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
