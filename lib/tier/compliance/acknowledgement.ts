/** Findings of the rule packs at one construct that are accepted, and why. */
export interface Acknowledgement {
  /** Path from the tier, exact: a construct that moved must be judged anew. */
  readonly path: string;
  /** Names as the packs give them, {@link solutions} and {@link nist}. */
  readonly rules: readonly string[];
  /** What stands in for the rule here. */
  readonly reason: string;
}

/** Rules of the pack AwsSolutions. */
export function solutions(...rules: readonly string[]): readonly string[] {
  return rules.map((rule) => `AwsSolutions-${rule}`);
}

/** Rules of the pack NIST 800-53, revision 5. */
export function nist(...rules: readonly string[]): readonly string[] {
  return rules.map((rule) => `NIST.800.53.R5-${rule}`);
}

export function managedPolicy(name: string): string {
  return `IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/${name}]`;
}

/** `lambda:InvokeFunction` on every version of a function, by its logical id. */
export function anyVersionOf(logicalId: string): string {
  return `IAM5[Resource::<${logicalId}.Arn>:*]`;
}

/** A policy that stands in its role. */
export function inlinePolicy(role: string, allows: string): Acknowledgement {
  return {
    path: `${role}/DefaultPolicy/Resource`,
    rules: nist('IAMNoInlinePolicy'),
    reason: `Of the one role that it stands in, which one service assumes: ${allows}. A managed policy could be attached to others, and would outlive the role.`,
  };
}
