import { type App, type IPolicyValidationContext, type IPolicyValidationPlugin, Validations } from 'aws-cdk-lib/core';
import { AwsSolutionsChecks, type NagPack, NIST80053R5Checks } from 'cdk-nag';
import type { IConstruct } from 'constructs';

import type { ResolvedTierConfig } from '../../config/resolve-config';
import type { DatabaseTier } from '../database-tier';
import type { Acknowledgement } from './acknowledgement';
import { dataAcknowledgements } from './data-acknowledgements';
import { serviceAcknowledgements } from './service-acknowledgements';
import { staleAcknowledgements } from './stale-acknowledgements';

/**
 * Holds the app against AWS's own rules and NIST 800-53, revision 5. A synth with it fails on a finding that nobody has
 * accepted, and on an acknowledgement of what is not found any more.
 *
 * @throws Error with every path of an acknowledgement that leads nowhere
 */
export function addComplianceChecks(app: App, tiers: readonly DatabaseTier[]): void {
  const nowhere = tiers.flatMap((tier) => acknowledge(tier, acknowledgementsOf(tier.config)));
  if (nowhere.length > 0) throw new Error(`${nowhere.join('\n')}\nremove or correct them in lib/tier/compliance`);
  Validations.of(app).addPlugins(...[new AwsSolutionsChecks(), new NIST80053R5Checks()].map(refusingStale));
}

function acknowledgementsOf(config: ResolvedTierConfig): readonly Acknowledgement[] {
  return [...dataAcknowledgements(config), ...serviceAcknowledgements(config)];
}

/** Every acknowledgement whose path leads nowhere, a sentence each. */
function acknowledge(tier: DatabaseTier, acknowledgements: readonly Acknowledgement[]): readonly string[] {
  return acknowledgements.flatMap(({ path, rules, reason }) => {
    const construct = path.split('/').reduce<IConstruct | undefined>((scope, id) => scope?.node.tryFindChild(id), tier);
    if (!construct) return [`${tier.node.path}/${path}: acknowledges ${rules.join(', ')}, and is no construct`];
    for (const rule of rules) Validations.of(construct).acknowledge({ id: `${rule.split('-')[0]!}::${rule}`, reason });
    return [];
  });
}

function refusingStale(pack: NagPack): IPolicyValidationPlugin {
  return {
    name: pack.name,
    validate: (context: IPolicyValidationContext) => {
      const { violations } = pack.validate(context);
      const all = [...violations, ...staleAcknowledgements(pack.name, context.appConstruct, violations)];
      return { success: all.length === 0, violations: all };
    },
  };
}
