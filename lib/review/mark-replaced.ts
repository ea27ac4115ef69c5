import { getAttParts } from '../assembly/template';

/** What will have another value after a deploy although its name in the template stays. */
export interface Replaced {
  readonly logicalIds: ReadonlySet<string>;
  /** Outputs of other stacks, as {@link outputKey} writes them. */
  readonly outputs: ReadonlySet<string>;
}

export function outputKey(stackName: string, outputName: string): string {
  return `${stackName}/${outputName}`;
}

/** The value with every reference to something that is replaced written as `… (replaced)`: so it differs from before. */
export function markReplaced(value: unknown, replaced: Replaced): unknown {
  if (Array.isArray(value)) return value.map((element) => markReplaced(element, replaced));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, argument]) => [key, markArgument(key, argument, replaced)]));
}

function markArgument(key: string, argument: unknown, replaced: Replaced): unknown {
  const mark = (logicalId: string): string => (replaced.logicalIds.has(logicalId) ? `${logicalId} (replaced)` : logicalId);
  if (key === 'Ref' && typeof argument === 'string') return mark(argument);
  if (key === 'Fn::GetAtt') {
    const { logicalId, attribute } = getAttParts(argument);
    return [mark(logicalId), attribute];
  }
  if (key === 'Fn::Sub' && typeof argument === 'string') return argument.replace(/\$\{([^!.}]+)/g, (_, logicalId: string) => `\${${mark(logicalId)}`);
  if (key === 'Fn::GetStackOutput') {
    const output = argument as { readonly StackName: string; readonly OutputName: string };
    return replaced.outputs.has(outputKey(output.StackName, output.OutputName)) ? { ...output, OutputName: `${output.OutputName} (replaced)` } : argument;
  }
  return markReplaced(argument, replaced);
}
