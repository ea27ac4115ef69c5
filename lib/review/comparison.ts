import type { AssemblyStack } from '../assembly/environment-assembly';
import { referencedIds, type Resource, type Template } from '../assembly/template';
import { outputKey } from './mark-replaced';
import { compareStack, type ResourceChange, type StackComparison } from './stack-comparison';

/** Every stack of one environment in two revisions. */
export interface EnvironmentComparison {
  readonly environment: string;
  readonly stacks: readonly StackComparison[];
}

/** Compares the stacks of an environment by their names; a stack that only one revision has is compared with nothing. */
export function compareEnvironment(environment: string, before: readonly AssemblyStack[], after: readonly AssemblyStack[]): EnvironmentComparison {
  const named = (stacks: readonly AssemblyStack[]) => new Map(stacks.map((stack) => [stack.stackName, stack]));
  const [left, right] = [named(before), named(after)];
  // As they are deployed: what one replaces has another value in the next.
  const replacedOutputs = new Set<string>();
  const stacks = [...new Set([...right.keys(), ...left.keys()])].map((name) => {
    const stack = compareStack(environment, left.get(name), right.get(name), replacedOutputs);
    for (const { name: output, after: value } of stack.outputs) if (value !== undefined) replacedOutputs.add(outputKey(name, output));
    return stack;
  });
  return { environment, stacks };
}

export type Side = 'before' | 'after';

/** The template of a stack on one side; empty if the stack is not there. */
export function templateOf(stack: StackComparison, side: Side): Template {
  return stack[side]?.template ?? { Resources: {} };
}

/** Resources of a type over all stacks of one side, by logical id. */
export function resourcesOfType({ stacks }: EnvironmentComparison, side: Side, type: string): readonly (readonly [logicalId: string, resource: Resource])[] {
  return stacks.flatMap((stack) => Object.entries(templateOf(stack, side).Resources).filter(([, resource]) => resource.Type === type));
}

/** Ids of the resources that a value refers to, also through another stack's output. */
export function referencesOver(comparison: EnvironmentComparison, side: Side, value: unknown): readonly string[] {
  return [...referencedIds(value), ...stackOutputs(value).flatMap(({ stackName, outputName }) => {
    const stack = comparison.stacks.find((candidate) => candidate.stackName === stackName);
    return stack ? referencedIds(templateOf(stack, side).Outputs?.[outputName]?.Value) : [];
  })];
}

function stackOutputs(value: unknown): readonly { readonly stackName: string; readonly outputName: string }[] {
  if (Array.isArray(value)) return value.flatMap(stackOutputs);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, argument]) => {
    if (key !== 'Fn::GetStackOutput') return stackOutputs(argument);
    const { StackName, OutputName } = argument as { readonly StackName: unknown; readonly OutputName: unknown };
    return [{ stackName: String(StackName), outputName: String(OutputName) }];
  });
}

/** What a judge is given besides the change itself. */
export interface JudgeContext {
  readonly comparison: EnvironmentComparison;
  readonly stack: StackComparison;
  /** The other half of a rename: what is removed under one id and added under another. */
  readonly counterpart?: ResourceChange;
}
