import { getAttParts } from '../assembly/template';

/** A value of a template on one line: intrinsics as `<LogicalId.Attribute>`, everything else as JSON. */
export function describeValue(value: unknown): string {
  if (value === undefined) return '(none)';
  if (typeof value === 'string') return value === '' ? '""' : value;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return text(value) ?? JSON.stringify(value, (_key, part: unknown) => (typeof part === 'object' && part !== null ? (text(part) ?? part) : part));
}

/** One step of a path and its two values. */
export interface LeafChange {
  /** For example `ContainerDefinitions.pgbouncer.Environment.PGBOUNCER_SETTING_POOL_MODE`; empty for the value itself. */
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** Where two values differ, as deep as possible; elements of a list go by their name, where they have one. */
export function leafChanges(before: unknown, after: unknown, path = ''): readonly LeafChange[] {
  const [left, right] = [entriesOf(before), entriesOf(after)];
  if (!left || !right) return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ path, before, after }];
  return [...new Set([...left.keys(), ...right.keys()])].flatMap((key) => leafChanges(left.get(key), right.get(key), path ? `${path}.${key}` : key));
}

/** Undefined for what is compared whole: scalars, intrinsics and lists of them. */
function entriesOf(value: unknown): ReadonlyMap<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null || text(value) !== undefined) return undefined;
  if (!Array.isArray(value)) return new Map(Object.entries(value));
  const named = value.map((element: unknown) => [nameOf(element), valueOf(element)] as const);
  const names = named.map(([name]) => name);
  if (names.includes(undefined) || new Set(names).size < names.length) return undefined;
  return new Map(named as [string, unknown][]);
}

function nameOf(element: unknown): string | undefined {
  const { Name, Key } = (element ?? {}) as { readonly Name?: unknown; readonly Key?: unknown };
  if (typeof Name === 'string') return Name;
  return typeof Key === 'string' ? Key : undefined;
}

/** `{ Name, Value }` stands for its value. */
function valueOf(element: unknown): unknown {
  const keys = Object.keys(element as object);
  return keys.length === 2 && keys.includes('Value') ? (element as { readonly Value: unknown }).Value : element;
}

/** Undefined for what is no intrinsic. */
function text(value: object): string | undefined {
  const keys = Object.keys(value);
  if (keys.length !== 1) return undefined;
  const argument = (value as Record<string, unknown>)[keys[0]!];
  switch (keys[0]) {
    case 'Ref':
      return `<${String(argument)}>`;
    case 'Fn::GetAtt': {
      const { logicalId, attribute } = getAttParts(argument);
      return `<${logicalId}.${attribute}>`;
    }
    case 'Fn::GetStackOutput':
      return `<${String((argument as { readonly OutputName?: unknown }).OutputName).replace(/^PublishOutput(FnGetAtt|Ref)?/, '')}>`;
    case 'Fn::Join': {
      const [separator, parts] = argument as [string, unknown];
      return Array.isArray(parts) ? parts.map(describeValue).join(separator) : `<Join ${describeValue(parts)}>`;
    }
    case 'Fn::Sub':
      return typeof argument === 'string' ? argument : undefined;
    default:
      return keys[0]!.startsWith('Fn::') ? `<${keys[0]!.slice(4)} ${describeValue(argument)}>` : undefined;
  }
}
