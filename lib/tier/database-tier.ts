import { type App, Stage, Tags } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';

import { type ResolvedTierConfig, resolveConfig } from '../config/resolve-config';
import type { TierConfig } from '../config/tier-config';
import { describeProblems, InvalidConfigError, validateConfig } from '../config/validate-config';
import { DataStack } from './data-stack';
import { Guards } from './guards/guards';
import { ServiceStack } from './service-stack';

export interface DatabaseTierProps {
  readonly config: ResolvedTierConfig;
}

/** The database tier of one environment: a stack that must never be lost, and one that can be rebuilt. */
export class DatabaseTier extends Stage {
  readonly config: ResolvedTierConfig;
  readonly data: DataStack;
  readonly service: ServiceStack;

  constructor(scope: Construct, id: string, { config }: DatabaseTierProps) {
    const env = { account: config.account, region: config.region };
    super(scope, id, { env });
    this.config = config;
    const prefix = `bookedbarber-${config.environmentName}`;

    this.data = new DataStack(this, 'data', {
      stackName: `${prefix}-data`,
      description: `BookedBarber database tier, ${config.environmentName}: what must never be lost`,
      // With RETAIN on the instance alone, deleting the stack would still take its network apart.
      terminationProtection: config.database.protection === 'retain',
      config,
    });
    this.service = new ServiceStack(this, 'service', {
      stackName: `${prefix}-service`,
      description: `BookedBarber database tier, ${config.environmentName}: what can be rebuilt`,
      config,
      data: this.data,
    });
    for (const [key, value] of Object.entries(config.tags)) Tags.of(this).add(key, value);
  }
}

/**
 * Adds the tier of every environment to the app, once all of them have been judged, and the guards of what comes of it.
 *
 * @param only name of the one environment to add; undefined adds all
 * @throws Error that names every environment and field that is wrong, before any construct is made
 */
export function addTiers(app: App, environments: Readonly<Record<string, TierConfig>>, only?: string): readonly DatabaseTier[] {
  if (only !== undefined && !Object.hasOwn(environments, only)) {
    throw new Error(`there is no environment "${only}"; lib/config/environments.ts has ${Object.keys(environments).join(', ')}`);
  }
  const configs = Object.entries(environments)
    .filter(([name]) => only === undefined || name === only)
    .map(([name, config]) => resolveConfig(name, config));

  const errors = configs.flatMap((config) => {
    try {
      validateConfig(config);
      return [];
    } catch (error) {
      if (error instanceof InvalidConfigError) return [error];
      throw error;
    }
  });
  if (errors.length > 0) throw new Error(describeProblems(errors));
  const tiers = configs.map((config) => ({ config, stage: new DatabaseTier(app, config.environmentName, { config }) }));
  new Guards(app, 'guards', tiers.map(({ config, stage }) => ({ stage, disposable: config.database.protection !== 'retain' })));
  return tiers.map(({ stage }) => stage);
}
