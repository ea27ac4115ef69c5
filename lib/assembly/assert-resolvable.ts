import type { AssemblyStack } from './environment-assembly';
import { isKnownIntrinsic, intrinsicOf } from './resolve-intrinsics';

/**
 * Refuses templates with something in them whose effect is not known here, before anything of them is made.
 *
 * @throws Error that names each with its place, all at once
 */
export function assertResolvable(stacks: readonly AssemblyStack[]): void {
  const problems = stacks.flatMap(({ stackName, template }) => {
    const { Resources, Outputs = {}, Transform, Mappings, Conditions } = template;
    return [
      ...(Transform === undefined ? [] : [`Transform ${JSON.stringify(Transform)}`]),
      ...Object.keys(Mappings ?? {}).map((name) => `Mappings.${name}`),
      ...Object.keys(Conditions ?? {}).map((name) => `Conditions.${name}`),
      ...Object.entries(Resources).flatMap(([logicalId, { Condition, Properties }]) => [...conditionOf(logicalId, Condition), ...unknownIntrinsics(Properties, logicalId)]),
      ...Object.entries(Outputs).flatMap(([name, { Condition, Value }]) => [...conditionOf(`Outputs.${name}`, Condition), ...unknownIntrinsics(Value, `Outputs.${name}`)]),
    ].map((problem) => `${stackName}: ${problem}`);
  });
  if (problems.length > 0) throw new Error(`the template has what the rehearsal cannot resolve: ${problems.join('; ')}`);
}

function conditionOf(path: string, condition: string | undefined): readonly string[] {
  return condition === undefined ? [] : [`${path} has the Condition ${condition}`];
}

function unknownIntrinsics(value: unknown, path: string): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => unknownIntrinsics(item, `${path}[${index}]`));
  if (typeof value !== 'object' || value === null) return [];
  const intrinsic = intrinsicOf(value);
  if (intrinsic && !isKnownIntrinsic(intrinsic.name)) return [`${path} uses ${intrinsic.name}`];
  return Object.entries(value).flatMap(([key, item]) => unknownIntrinsics(item, intrinsic ? path : `${path}.${key}`));
}
