import { type PolicyViolation, Validations } from 'aws-cdk-lib/core';
import type { IConstruct } from 'constructs';

/**
 * A violation for each acknowledged rule of a pack that its construct does not break (any more): it would hide the next
 * one that does.
 *
 * @param violations all that the pack finds, acknowledged or not
 */
export function staleAcknowledgements(packName: string, root: IConstruct, violations: readonly PolicyViolation[]): readonly PolicyViolation[] {
  const found = new Set(violations.flatMap(({ ruleName, violatingResources }) => violatingResources.map(({ constructPath }) => `${constructPath} ${ruleName}`)));
  return root.node.findAll().flatMap((construct) =>
    acknowledgedRules(construct)
      .filter((id) => id.startsWith(`${packName}::`))
      .map((id) => id.slice(`${packName}::`.length))
      .filter((rule) => !found.has(`${construct.node.path} ${rule}`))
      .map((rule) => ({
        ruleName: `${packName}-StaleAcknowledgement[${rule}]`,
        description: `${rule} is acknowledged here and not found (any more); take it out of lib/tier/compliance, or it hides the next one`,
        severity: 'error',
        violatingResources: [{ constructPath: construct.node.path, locations: [] }],
      })),
  );
}

function acknowledgedRules({ node }: IConstruct): readonly string[] {
  return node.metadata.filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY).flatMap(({ data }) => Object.keys(data as Readonly<Record<string, string>>));
}
