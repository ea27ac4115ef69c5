/** Properties of a resource that remember what of them was read: what nobody reads has no effect here. */
export interface ObservedProperties {
  readonly properties: Readonly<Record<string, unknown>>;
  /** Where in them is what nobody has read so far, each as high up as possible: `ContainerDefinitions[pgbouncer].Ulimits`. */
  readonly unread: () => readonly string[];
}

type Parent = Readonly<Record<string, unknown>> | readonly unknown[];

/** Watches properties, down to the last, for as long as they live. */
export function observeProperties(properties: Readonly<Record<string, unknown>>): ObservedProperties {
  const read = new Set<string>();
  const observe = <Value>(value: Value, path: string): Value => {
    if (!isParent(value)) return value;
    return new Proxy(value, {
      get: (parent, key, receiver) => {
        const child: unknown = Reflect.get(parent, key, receiver);
        if (typeof key === 'symbol' || !Object.hasOwn(parent, key) || (Array.isArray(parent) && key === 'length')) return child;
        const childPath = pathOf(parent, path, key);
        read.add(childPath);
        return observe(child, childPath);
      },
    });
  };
  const unreadIn = (parent: Parent, path: string): readonly string[] =>
    Object.entries(parent).flatMap(([key, child]) => {
      const childPath = pathOf(parent, path, key);
      if (!read.has(childPath)) return [childPath];
      return isParent(child) ? unreadIn(child, childPath) : [];
    });
  return { properties: observe(properties, ''), unread: () => [...new Set(unreadIn(properties, '').map(withoutValue))] };
}

function isParent(value: unknown): value is Parent {
  return typeof value === 'object' && value !== null;
}

/** An item of a list is told by its key or name where it has one, so that a new one is told from those beside it. */
function pathOf(parent: Parent, path: string, key: string): string {
  if (!Array.isArray(parent)) return path === '' ? key : `${path}.${key}`;
  const { Key, Name } = (isParent(parent[Number(key)]) ? parent[Number(key)] : {}) as { readonly Key?: unknown; readonly Name?: unknown };
  return `${path}[${typeof Key === 'string' ? Key : typeof Name === 'string' ? Name : ''}]`;
}

/** Who looks for a key reads all keys: the value is what counts. */
function withoutValue(path: string): string {
  return path.replace(/\]\.Value$/, ']');
}
