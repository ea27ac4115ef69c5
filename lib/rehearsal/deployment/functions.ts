import type { AssemblyStack } from '../../assembly/environment-assembly';
import { createCustomResource, type CustomResourceHandlers, type CustomResourceRequest, updateCustomResource } from '../aws/custom-resource';
import { LambdaFunction } from '../aws/lambda-function';
import { rotateSecret } from '../aws/rotate-secret';
import type { Site } from '../site';
import type { ResourceMaker } from './deployment';

interface FunctionProperties {
  readonly Code: { readonly S3Key?: string };
  readonly Handler?: string;
  readonly Runtime?: string;
  readonly Environment?: { readonly Variables?: Readonly<Record<string, string>> };
  readonly Timeout?: number;
}

interface MadeByFramework {
  readonly handlers: CustomResourceHandlers;
  readonly physicalResourceId: string;
  request: CustomResourceRequest;
}

/** Names of the variables in which CDK's provider framework keeps the handlers that it calls. */
const frameworkVariables = { onEvent: 'USER_ON_EVENT_FUNCTION_ARN', isComplete: 'USER_IS_COMPLETE_FUNCTION_ARN' } as const;

/** The functions of the template, from their bundles, and the custom resources and schedules that call them. */
export class Functions {
  private readonly functions = new Map<string, { readonly lambda: LambdaFunction; readonly variables: Readonly<Record<string, string>> }>();
  private readonly scheduledArns: string[] = [];
  private readonly customResources: MadeByFramework[] = [];
  /** ARN of the function that rotates a secret, by the secret's. */
  private readonly rotations = new Map<string, string>();

  constructor(
    private readonly site: Site,
    private readonly signal: AbortSignal,
  ) {}

  readonly lambda: ResourceMaker = {
    fidelity: 'as it is',
    make: ({ logicalId, properties, stack }) => {
      const { Code, Handler = 'index.handler', Runtime = 'no runtime', Environment, Timeout = 3 } = properties as unknown as FunctionProperties;
      const arn = arnOf(logicalId);
      const variables = Environment?.Variables ?? {};
      const codeDirectory = bundleOf(stack, Code.S3Key);
      const lambda = new LambdaFunction({ functionName: logicalId, codeDirectory, handler: Handler, environment: variables, timeoutSeconds: Timeout }, this.site.surroundings);
      this.functions.set(arn, { lambda, variables });
      return { ref: logicalId, attributes: { Arn: arn }, how: `its bundle runs with its environment and timeout, on Node.js ${process.versions.node} for ${Runtime}`, idle: () => (lambda.hasRun ? undefined : this.whyIdle(arn, variables)) };
    },
  };

  private whyIdle(arn: string, variables: Readonly<Record<string, string>>): string {
    if (frameworkVariables.onEvent in variables) return "CDK's own: the handlers that it would call are called as it would call them";
    return [...this.rotations.values()].includes(arn) ? 'no secret was rotated; the drill secret-rotation rotates one' : 'nothing called it in this rehearsal';
  }

  /** A custom resource whose service token is CDK's provider framework: its handlers are called as the framework would. */
  readonly customResource: ResourceMaker = {
    fidelity: 'as it is',
    make: async ({ logicalId, type, properties, stack }) => {
      const request = { logicalId, resourceType: type, stackName: stack.stackName, properties };
      const handlers = this.handlersOf(properties);
      const { physicalResourceId, data } = await createCustomResource(handlers, request);
      this.customResources.push({ handlers, request, physicalResourceId });
      return { ref: physicalResourceId, attributes: data };
    },
  };

  /** Deploys the custom resource of that type once more, with other properties over those that it has. */
  async updateCustomResource(type: string, changes: Readonly<Record<string, unknown>>): Promise<void> {
    const made = this.customResources.find(({ request }) => request.resourceType === type);
    if (!made) throw new Error(`the template has no ${type}`);
    const { handlers, physicalResourceId, request } = made;
    const properties = { ...request.properties, ...changes };
    await updateCustomResource(handlers, { ...request, properties }, { physicalResourceId, properties: request.properties });
    made.request = { ...request, properties };
  }

  private handlersOf({ ServiceToken: serviceToken }: Readonly<Record<string, unknown>>): CustomResourceHandlers {
    const framework = this.functions.get(String(serviceToken));
    const onEvent = framework && this.functions.get(framework.variables[frameworkVariables.onEvent] ?? '');
    if (!framework || !onEvent) throw new Error(`its service token ${String(serviceToken)} is not a function of CDK's provider framework`);
    const isComplete = this.functions.get(framework.variables[frameworkVariables.isComplete] ?? '');
    return {
      onEvent: (event) => onEvent.lambda.invoke(event, this.signal),
      isComplete: isComplete && ((event) => isComplete.lambda.invoke(event, this.signal)),
      queryIntervalMs: 1000,
    };
  }

  /** Remembers what a schedule calls: a rehearsal does not wait for the clock. */
  readonly schedule: ResourceMaker = {
    fidelity: 'imitated',
    make: ({ logicalId, properties }) => {
      const { Targets = [] } = properties as { Targets?: readonly { Arn: string }[] };
      this.scheduledArns.push(...Targets.map(({ Arn }) => Arn));
      return { ref: logicalId, attributes: { Arn: logicalId } };
    },
  };

  /** Remembers which function rotates a secret. */
  readonly rotationSchedule: ResourceMaker = {
    fidelity: 'imitated',
    make: ({ logicalId, properties }) => {
      const { SecretId, RotationLambdaARN } = properties as { SecretId: string; RotationLambdaARN: string };
      this.rotations.set(SecretId, RotationLambdaARN);
      return { ref: logicalId };
    },
  };

  /** Rotates a secret now, as its schedule would. @throws Error if a step fails, or the secret has no schedule */
  async rotate(secretArn: string): Promise<void> {
    const rotation = this.functions.get(this.rotations.get(secretArn) ?? '');
    if (!rotation) throw new Error(`the template has no rotation schedule for secret ${secretArn}`);
    await rotateSecret(this.site.aws.secrets, secretArn, (event) => rotation.lambda.invoke(event, this.signal));
  }

  /** Calls a function by its name, as a person would. @throws Error if it fails, or the template has none of that name */
  async call(functionName: string, event: unknown): Promise<unknown> {
    const called = this.functions.get(arnOf(functionName));
    if (!called) throw new Error(`the template has no function ${functionName}`);
    return called.lambda.invoke(event, this.signal);
  }

  /** Calls every scheduled function once, and returns what each answered. */
  async callScheduled(): Promise<readonly unknown[]> {
    return Promise.all(this.scheduledArns.map((arn) => this.functions.get(arn)!.lambda.invoke({ source: 'aws.events' }, this.signal)));
  }
}

function arnOf(functionName: string): string {
  return `arn:aws:lambda:eu-central-1:000000000000:function:${functionName}`;
}

function bundleOf(stack: AssemblyStack, objectKey: string | undefined): string {
  const directory = objectKey === undefined ? undefined : stack.assetDirectory(objectKey);
  if (!directory) throw new Error(`the assembly has no bundle ${objectKey}`);
  return directory;
}
