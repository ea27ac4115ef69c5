/** A CloudFormation template as it was synthesized, intrinsics and all. */
export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, Output>>;
  readonly Parameters?: Readonly<Record<string, TemplateParameter>>;
  readonly Transform?: unknown;
  readonly Mappings?: Readonly<Record<string, unknown>>;
  readonly Conditions?: Readonly<Record<string, unknown>>;
}

export interface TemplateParameter {
  readonly Type: string;
  readonly Default?: string | number;
}

export interface Resource {
  readonly Type: string;
  readonly Condition?: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DependsOn?: string | readonly string[];
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  readonly Metadata?: Readonly<Record<string, unknown>>;
}

export interface Output {
  readonly Value: unknown;
  readonly Condition?: string;
  readonly Description?: string;
}

/** Ids of the resources that a value refers to by `Ref`, `Fn::GetAtt` or `Fn::Sub`. */
export function referencedIds(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(referencedIds);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, argument]) => {
    if (key === 'Ref' && typeof argument === 'string') return [argument];
    if (key === 'Fn::GetAtt') return [getAttParts(argument).logicalId];
    if (key === 'Fn::Sub') return subReferences(argument);
    return referencedIds(argument);
  });
}

/** `Fn::GetAtt` takes `[id, attribute]` or `"id.attribute"`. */
export function getAttParts(argument: unknown): { readonly logicalId: string; readonly attribute: string } {
  const [logicalId, ...attribute] = Array.isArray(argument) ? argument.map(String) : String(argument).split('.');
  return { logicalId: logicalId ?? '', attribute: attribute.join('.') };
}

function subReferences(argument: unknown): readonly string[] {
  const [text, variables = {}] = (Array.isArray(argument) ? argument : [argument]) as [string, Record<string, unknown>?];
  const names = [...text.matchAll(/\$\{([^!}][^}]*)\}/g)].map((match) => match[1]!.split('.')[0]!);
  return [...names.filter((name) => !(name in variables)), ...referencedIds(variables)];
}

/**
 * The template's resources, each after everything that it needs, as CloudFormation makes them.
 *
 * @throws Error that names the resources of a circular dependency
 */
export function inDependencyOrder(template: Template): readonly (readonly [logicalId: string, resource: Resource])[] {
  const ordered: [string, Resource][] = [];
  const state = new Map<string, 'visiting' | 'done'>();
  const visit = (logicalId: string, path: readonly string[]): void => {
    const resource = template.Resources[logicalId];
    if (!resource || state.get(logicalId) === 'done') return; // pseudo parameters and parameters are no resources
    if (state.get(logicalId) === 'visiting') {
      throw new Error(`resources depend on each other: ${[...path.slice(path.indexOf(logicalId)), logicalId].join(' → ')}`);
    }
    state.set(logicalId, 'visiting');
    for (const needed of [resource.DependsOn ?? [], ...referencedIds(resource.Properties)].flat()) visit(needed, [...path, logicalId]);
    state.set(logicalId, 'done');
    ordered.push([logicalId, resource]);
  };
  for (const logicalId of Object.keys(template.Resources)) visit(logicalId, []);
  return ordered;
}
