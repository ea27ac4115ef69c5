import { App, Validations } from 'aws-cdk-lib/core';

import { environments } from '../lib/config/environments';
import { addTiers } from '../lib/tier/database-tier';

const app = new App();
try {
  // -c environment=staging synthesizes that one alone.
  addTiers(app, environments, app.node.tryGetContext('environment') as string | undefined);
  if (app.node.tryGetContext('nag')) {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- a development dependency, loaded only when asked for
    const { AwsSolutionsChecks } = require('cdk-nag') as typeof import('cdk-nag');
    Validations.of(app).addPlugins(new AwsSolutionsChecks());
  }
  app.synth();
} catch (error) {
  console.error((error as Error).message);
  process.exit(1);
}
