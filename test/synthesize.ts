import { App, type AppProps, type Stack } from 'aws-cdk-lib/core';
import { Template } from 'aws-cdk-lib/assertions';

import cdkJson from '../cdk.json';
import { environments } from '../lib/config/environments';
import type { TierConfig } from '../lib/config/tier-config';
import { addTiers, type DatabaseTier } from '../lib/tier/database-tier';

/** An app with the feature flags that are deployed; functions are not bundled, AWS's own validation runs elsewhere. */
export function testApp(props: AppProps = {}): App {
  return new App({
    analyticsReporting: false,
    builtinCloudFormationValidation: false,
    ...props,
    context: { ...cdkJson.context, 'aws:cdk:bundling-stacks': [], ...props.context },
  });
}

export interface SynthesizedTier {
  readonly tier: DatabaseTier;
  readonly data: Template;
  readonly service: Template;
}

/** Synthesizes the tier of one environment, as it stands in environments.ts or changed. */
export function synthesizeTier(name: string, config?: TierConfig): SynthesizedTier {
  const [tier] = addTiers(testApp(), config ? { [name]: config } : environments, name);
  return { tier: tier!, data: templateOf(tier!.data), service: templateOf(tier!.service) };
}

function templateOf(stack: Stack): Template {
  return Template.fromStack(stack);
}
