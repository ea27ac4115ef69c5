import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

type Resource = { Type: string; Properties: Record<string, unknown> };
export type Break = (resources: readonly Resource[]) => void;

/** Copies an assembly and changes the resources of its templates, without a word to anything that was computed from them. */
export function breakAssembly(whole: string, broken: string, change: Break): void {
  cpSync(whole, broken, { recursive: true });
  for (const stage of readdirSync(broken).filter((name) => name.startsWith('assembly-'))) {
    for (const file of readdirSync(join(broken, stage)).filter((name) => name.endsWith('.template.json'))) {
      const path = join(broken, stage, file);
      const template = JSON.parse(readFileSync(path, 'utf8')) as { Resources: Record<string, Resource> };
      change(Object.values(template.Resources));
      writeFileSync(path, JSON.stringify(template));
    }
  }
}

/** Changes the properties of every resource of a type. */
export function ofType<Properties>(type: string, change: (properties: Properties) => void): Break {
  return (resources) => resources.filter(({ Type }) => Type === type).forEach((resource) => change(resource.Properties as Properties));
}
