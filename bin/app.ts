import { App } from 'aws-cdk-lib/core';

import { environments } from '../lib/config/environments';
import { addTiers } from '../lib/tier/database-tier';

const app = new App();
try {
  // -c environment=staging synthesizes that one alone.
  const tiers = addTiers(app, environments, app.node.tryGetContext('environment') as string | undefined);
  if (app.node.tryGetContext('nag')) {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- cdk-nag is a development dependency, loaded only when asked for
    const { addComplianceChecks } = require('../lib/tier/compliance/compliance-checks') as typeof import('../lib/tier/compliance/compliance-checks');
    addComplianceChecks(app, tiers);
  }
  app.synth();
} catch (error) {
  console.error((error as Error).message);
  process.exit(1);
}
