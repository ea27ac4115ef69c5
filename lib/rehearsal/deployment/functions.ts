import type { AssemblyStack } from '../../assembly/environment-assembly';
import { createCustomResource } from '../aws/custom-resource';
import { LambdaFunction } from '../aws/lambda-function';
import type { Site } from '../site';
import type { ResourceMaker } from './deployment';

interface FunctionProperties {
  readonly Code: { readonly S3Key?: string };
  readonly Handler?: string;
  readonly Environment?: { readonly Variables?: Readonly<Record<string, string>> };
  readonly Timeout?: number;
}

/** Names of the variables in which CDK's provider framework keeps the handlers that it calls. */
const frameworkVariables = { onEvent: 'USER_ON_EVENT_FUNCTION_ARN', isComplete: 'USER_IS_COMPLETE_FUNCTION_ARN' } as const;

/** The functions of the template, from their bundles, and the custom resources and schedules that call them. */
export class Functions {
  private readonly functions = new Map<string, { readonly lambda: LambdaFunction; readonly variables: Readonly<Record<string, string>> }>();
  private readonly scheduledArns: string[] = [];

  constructor(
    private readonly site: Site,
    private readonly signal: AbortSignal,
  ) {}

  readonly lambda: ResourceMaker = {
    fidelity: 'as it is',
    make: ({ logicalId, properties, stack }) => {
      const { Code, Handler = 'index.handler', Environment, Timeout = 3 } = properties as unknown as FunctionProperties;
      const arn = `arn:aws:lambda:eu-central-1:000000000000:function:${logicalId}`;
      const variables = Environment?.Variables ?? {};
      const codeDirectory = bundleOf(stack, Code.S3Key);
      const lambda = new LambdaFunction({ functionName: logicalId, codeDirectory, handler: Handler, environment: variables, timeoutSeconds: Timeout }, this.site.surroundings);
      this.functions.set(arn, { lambda, variables });
      return { ref: logicalId, attributes: { Arn: arn } };
    },
  };

  /** A custom resource whose service token is CDK's provider framework: its handlers are called as the framework would. */
  readonly customResource: ResourceMaker = {
    fidelity: 'as it is',
    make: async ({ logicalId, type, properties, stack }) => {
      const { ServiceToken: serviceToken } = properties as { ServiceToken: string };
      const framework = this.functions.get(serviceToken);
      const onEvent = framework && this.functions.get(framework.variables[frameworkVariables.onEvent] ?? '');
      if (!framework || !onEvent) throw new Error(`its service token ${serviceToken} is not a function of CDK's provider framework`);
      const isComplete = this.functions.get(framework.variables[frameworkVariables.isComplete] ?? '');
      const { physicalResourceId, data } = await createCustomResource(
        {
          onEvent: (event) => onEvent.lambda.invoke(event, this.signal),
          isComplete: isComplete && ((event) => isComplete.lambda.invoke(event, this.signal)),
          queryIntervalMs: 1000,
        },
        { logicalId, resourceType: type, stackName: stack.stackName, properties },
      );
      return { ref: physicalResourceId, attributes: data };
    },
  };

  /** Remembers what a schedule calls: a rehearsal does not wait for the clock. */
  readonly schedule: ResourceMaker = {
    fidelity: 'imitated',
    make: ({ logicalId, properties }) => {
      const { Targets = [] } = properties as { Targets?: readonly { Arn: string }[] };
      this.scheduledArns.push(...Targets.map(({ Arn }) => Arn));
      return { ref: logicalId, attributes: { Arn: logicalId } };
    },
  };

  /** Calls every scheduled function once, and returns what each answered. */
  async callScheduled(): Promise<readonly unknown[]> {
    return Promise.all(this.scheduledArns.map((arn) => this.functions.get(arn)!.lambda.invoke({ source: 'aws.events' }, this.signal)));
  }
}

function bundleOf(stack: AssemblyStack, objectKey: string | undefined): string {
  const directory = objectKey === undefined ? undefined : stack.assetDirectory(objectKey);
  if (!directory) throw new Error(`the assembly has no bundle ${objectKey}`);
  return directory;
}
