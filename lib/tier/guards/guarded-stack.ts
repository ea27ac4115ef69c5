import type { Resource, Template } from '../../assembly/template';

/** A stack as it would be deployed. */
export interface GuardedStack {
  /** Its id in the tier. */
  readonly id: 'data' | 'service';
  readonly template: Template;
  readonly terminationProtection: boolean;
  /** The configuration says that its data may be lost. */
  readonly disposable: boolean;
}

/** What must not be deployed. */
export interface GuardProblem {
  readonly logicalId: string;
  /** The value, why it is refused, and the fix. */
  readonly message: string;
}

/** Judges a stack by its template alone: whatever made it so, configuration, code or a new version of the CDK. */
export type Guard = (stack: GuardedStack) => readonly GuardProblem[];

/** Resources of some types. */
export function resourcesOf({ template }: GuardedStack, ...types: readonly string[]): readonly (readonly [logicalId: string, resource: Resource])[] {
  return Object.entries(template.Resources).filter(([, { Type }]) => types.includes(Type));
}

/** A property as CloudFormation takes it: it accepts booleans as text. */
export function isSet(value: unknown, expected: boolean): boolean {
  return value === expected || value === `${expected}`;
}

/** A value for a message. */
export function shown(value: unknown): string {
  return value === undefined ? 'not set' : JSON.stringify(value);
}
