import { App } from 'aws-cdk-lib/core';

import { checkedEnvironments } from '../lib/config/checked-environments';
import { withReadReplicas } from '../lib/config/with-read-replicas';
import { addTiers } from '../lib/tier/database-tier';

const app = new App();
try {
  // -c environment=staging synthesizes that one alone.
  // -c read-replicas=2 shows what two would be, whatever is configured: a drill loses one of them.
  const replicas = Number(app.node.tryGetContext('read-replicas') ?? 0);
  if (!Number.isInteger(replicas) || replicas < 0) throw new Error(`read-replicas=${app.node.tryGetContext('read-replicas')} is not a whole number of read replicas, such as 2`);
  const wished = Object.fromEntries(Object.entries(checkedEnvironments()).map(([name, config]) => [name, withReadReplicas(config, replicas)]));
  const tiers = addTiers(app, wished, app.node.tryGetContext('environment') as string | undefined);
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
