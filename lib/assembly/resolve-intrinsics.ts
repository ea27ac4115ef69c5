import { getAttParts } from './template';

/** What the values of a template are resolved against: what exists once the resources have been made. */
export interface ResolutionContext {
  /** Value of `Ref`; undefined if there is no such resource, parameter or pseudo parameter. */
  ref(logicalId: string): unknown;
  /** Value of `Fn::GetAtt`; undefined if the resource has no such attribute. */
  attribute(logicalId: string, attribute: string): unknown;
  /** Value of an output of another stack; undefined if there is none. */
  stackOutput(stackName: string, outputName: string): unknown;
}

/** A template holds something that cannot be resolved; the message says where and what. */
export class UnresolvableError extends Error {
  constructor(path: string, reason: string) {
    super(`${path}: ${reason}`);
    this.name = 'UnresolvableError';
  }
}

/**
 * Replaces every intrinsic function of a value by what CloudFormation would put there.
 *
 * @param path where the value stands in the template, for messages
 * @throws UnresolvableError for an intrinsic that is not known here, or a reference to nothing
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
 */
export function resolveIntrinsics(value: unknown, context: ResolutionContext, path: string): unknown {
  if (Array.isArray(value)) {
    return value.map((item, index) => resolveIntrinsics(item, context, `${path}[${index}]`)).filter(isPresent);
  }
  if (typeof value !== 'object' || value === null) return value;

  const intrinsic = intrinsicOf(value);
  if (intrinsic) {
    const evaluate = intrinsics[intrinsic.name];
    if (!evaluate) throw new UnresolvableError(path, `the intrinsic function ${intrinsic.name} is not known to the rehearsal`);
    return evaluate(intrinsic.argument, context, path);
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, resolveIntrinsics(item, context, `${path}.${key}`)] as const).filter(([, item]) => isPresent(item)),
  );
}

/** The intrinsic function that an object is; undefined if it is none. */
export function intrinsicOf(value: object): { readonly name: string; readonly argument: unknown } | undefined {
  const [[name, argument] = [], ...others] = Object.entries(value) as [string, unknown][];
  if (name === undefined || others.length > 0) return undefined;
  const isCondition = name === 'Condition' && typeof argument === 'string'; // a policy's is an object
  return name === 'Ref' || isCondition || name.startsWith('Fn::') ? { name, argument } : undefined;
}

export function isKnownIntrinsic(name: string): boolean {
  return name in intrinsics;
}

/** `Ref: AWS::NoValue` removes the property that holds it. */
const noValue = Symbol('AWS::NoValue');
const isPresent = (value: unknown): boolean => value !== noValue;

type Intrinsic = (argument: unknown, context: ResolutionContext, path: string) => unknown;

const intrinsics: Readonly<Record<string, Intrinsic>> = {
  Ref: (argument, context, path) => reference(String(argument), context, path),
  'Fn::GetAtt': (argument, context, path) => {
    const { logicalId, attribute } = getAttParts(argument);
    return attributeOf(logicalId, attribute, context, path);
  },
  'Fn::Join': (argument, context, path) => {
    const [separator, items] = resolveIntrinsics(argument, context, path) as [string, unknown[]];
    return items.map(String).join(separator);
  },
  'Fn::Select': (argument, context, path) => {
    const [index, items] = resolveIntrinsics(argument, context, path) as [number | string, unknown[]];
    const item = items[Number(index)];
    if (item === undefined) throw new UnresolvableError(path, `Fn::Select asks for item ${index} of ${items.length}`);
    return item;
  },
  'Fn::Split': (argument, context, path) => {
    const [separator, text] = resolveIntrinsics(argument, context, path) as [string, unknown];
    return String(text).split(separator);
  },
  'Fn::Sub': (argument, context, path) => {
    const [text, variables = {}] = (Array.isArray(argument) ? argument : [argument]) as [string, Record<string, unknown>?];
    return text.replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
      if (literal) return `\${${name}}`;
      if (name in variables) return String(resolveIntrinsics(variables[name], context, path));
      const [logicalId, ...attribute] = name.split('.');
      return String(attribute.length > 0 ? attributeOf(logicalId!, attribute.join('.'), context, path) : reference(name, context, path));
    });
  },
  'Fn::GetStackOutput': (argument, context, path) => {
    const { StackName, OutputName } = resolveIntrinsics(argument, context, path) as { StackName: string; OutputName: string };
    const value = context.stackOutput(StackName, OutputName);
    if (value === undefined) throw new UnresolvableError(path, `stack ${StackName} has no output ${OutputName}`);
    return value;
  },
  'Fn::GetAZs': (_argument, context, path) => {
    const region = String(reference('AWS::Region', context, path));
    return [`${region}a`, `${region}b`];
  },
};

function reference(logicalId: string, context: ResolutionContext, path: string): unknown {
  if (logicalId === 'AWS::NoValue') return noValue;
  const value = context.ref(logicalId);
  if (value === undefined) throw new UnresolvableError(path, `Ref to ${logicalId}, which does not exist`);
  return value;
}

function attributeOf(logicalId: string, attribute: string, context: ResolutionContext, path: string): unknown {
  const value = context.attribute(logicalId, attribute);
  if (value === undefined) throw new UnresolvableError(path, `${logicalId} has no attribute ${attribute} in a rehearsal`);
  return value;
}
