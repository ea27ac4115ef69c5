import { randomUUID } from 'node:crypto';

/** Calls a handler of a custom resource. */
export type Invoke = (event: CustomResourceEvent) => Promise<unknown>;

export interface CustomResourceEvent {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly RequestId: string;
  readonly StackId: string;
  readonly LogicalResourceId: string;
  readonly ResourceType: string;
  readonly ResourceProperties: Readonly<Record<string, unknown>>;
  readonly OldResourceProperties?: Readonly<Record<string, unknown>>;
  readonly PhysicalResourceId?: string;
  readonly Data?: Readonly<Record<string, unknown>>;
}

export interface CustomResourceHandlers {
  readonly onEvent: Invoke;
  /** @default - complete once onEvent has answered */
  readonly isComplete?: Invoke;
  /** @default 5000 */
  readonly queryIntervalMs?: number;
}

export interface CustomResourceRequest {
  readonly logicalId: string;
  readonly resourceType: string;
  readonly stackName: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

export interface MadeCustomResource {
  readonly physicalResourceId: string;
  readonly data: Readonly<Record<string, unknown>>;
}

interface Answer {
  readonly PhysicalResourceId?: string;
  readonly Data?: Readonly<Record<string, unknown>>;
  readonly IsComplete?: boolean;
}

/** CloudFormation refuses a larger answer. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html */
const largestAnswerBytes = 4096;

/**
 * Creates a custom resource as CloudFormation and CDK's provider framework do: onEvent, then isComplete until it says so.
 *
 * @throws Error if a handler fails or its answer is larger than CloudFormation takes
 * @see https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.custom_resources-readme.html#provider-framework
 */
export async function createCustomResource(handlers: CustomResourceHandlers, request: CustomResourceRequest): Promise<MadeCustomResource> {
  return handle(handlers, { ...eventOf(request), RequestType: 'Create' });
}

/** Updates one, likewise. @param made what it is before */
export async function updateCustomResource(handlers: CustomResourceHandlers, request: CustomResourceRequest, made: { readonly physicalResourceId: string; readonly properties: Readonly<Record<string, unknown>> }): Promise<MadeCustomResource> {
  const { physicalResourceId: PhysicalResourceId, properties } = made;
  return handle(handlers, { ...eventOf(request), RequestType: 'Update', PhysicalResourceId, OldResourceProperties: withTextScalars(properties) as Record<string, unknown> });
}

function eventOf({ logicalId, resourceType, stackName, properties }: CustomResourceRequest): Omit<CustomResourceEvent, 'RequestType'> {
  return {
    RequestId: randomUUID(),
    StackId: `arn:aws:cloudformation:eu-central-1:000000000000:stack/${stackName}/rehearsal`,
    LogicalResourceId: logicalId,
    ResourceType: resourceType,
    ResourceProperties: withTextScalars(properties) as Record<string, unknown>,
  };
}

async function handle(handlers: CustomResourceHandlers, event: CustomResourceEvent): Promise<MadeCustomResource> {
  const started = (await handlers.onEvent(event)) as Answer | undefined;
  const physicalResourceId = started?.PhysicalResourceId ?? event.PhysicalResourceId ?? event.RequestId;
  let data = started?.Data ?? {};
  if (handlers.isComplete) {
    for (;;) {
      const answer = (await handlers.isComplete({ ...event, ...started, PhysicalResourceId: physicalResourceId })) as Answer;
      data = { ...data, ...answer.Data };
      if (answer.IsComplete) break;
      await new Promise((resolve) => setTimeout(resolve, handlers.queryIntervalMs ?? 5000));
    }
  }
  const size = Buffer.byteLength(JSON.stringify({ PhysicalResourceId: physicalResourceId, Data: data }));
  if (size > largestAnswerBytes) throw new Error(`its answer is ${size} bytes; CloudFormation takes ${largestAnswerBytes} at most`);
  return { physicalResourceId, data };
}

/** CloudFormation hands every scalar on as text. */
function withTextScalars(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withTextScalars);
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withTextScalars(item)]));
  return String(value);
}
