import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { App, CfnResource, Stack, Validations } from 'aws-cdk-lib/core';

import { environments } from '../../../lib/config/environments';
import type { TierConfig } from '../../../lib/config/tier-config';
import { addComplianceChecks } from '../../../lib/tier/compliance/compliance-checks';
import { staleAcknowledgements } from '../../../lib/tier/compliance/stale-acknowledgements';
import { addTiers } from '../../../lib/tier/database-tier';
import { testApp } from '../../synthesize';

interface Report {
  readonly pluginName: string;
  readonly violations: readonly unknown[];
  readonly suppressedViolations: readonly { readonly reason: string }[];
}

function checked(config: TierConfig): readonly Report[] {
  const app = testApp();
  addComplianceChecks(app, addTiers(app, { other: config }));
  app.synth();
  return (JSON.parse(readFileSync(join(app.outdir, 'validation-report.json'), 'utf8')) as { pluginReports: readonly Report[] }).pluginReports;
}

const { production } = environments;

describe("AWS's own rules and NIST 800-53", () => {
  // Those of the environments are held against them by .ci/run.
  it('are followed, or it is said why not, with the choices that no environment makes too', () => {
    const reports = checked({
      ...production,
      network: { ...production.network, egress: 'interface-endpoints' },
      database: { ...production.database, enhancedMonitoringSeconds: 0 },
      replicas: { 'replica-1': {}, reports: {} },
      roles: { passwordRotation: { off: 'rotated by the platform team' } },
    });
    expect(reports.map(({ pluginName, violations }) => ({ pluginName, violations }))).toEqual([
      { pluginName: 'AwsSolutions', violations: [] },
      { pluginName: 'NIST.800.53.R5', violations: [] },
    ]);
    expect(reports.flatMap(({ suppressedViolations }) => suppressedViolations).map(({ reason }) => reason)).toContain('The next call, five minutes later, finds everything in the database and goes on; alarms tell of indexes that stay unfinished or have failed.');
  });

  it('are not waived for production without a standby', () => {
    const app = testApp();
    const [tier] = addTiers(app, { production: { ...production, database: { ...production.database, multiAz: false } } });
    addComplianceChecks(app, [tier!]);
    const primary = tier!.data.node.findChild('Database').node.findChild('Primary').node.findChild('Resource');
    const acknowledged = primary.node.metadata.flatMap(({ data }) => Object.keys(data as object));
    expect(acknowledged.filter((rule) => /RDS3|MultiAZ/.test(rule))).toEqual([]);
    expect(acknowledged).toContain('NIST.800.53.R5::NIST.800.53.R5-RDSInBackupPlan');
  });

  it('are not waived for what is no construct (any more)', () => {
    const app = testApp();
    const [tier] = addTiers(app, { production: { ...production, network: { ...production.network, egress: 'interface-endpoints' } } });
    const renamed = Object.create(tier!, { config: { value: { ...tier!.config, network: { ...tier!.config.network, egress: { natGateways: 2 } } } } }) as typeof tier;
    expect(() => addComplianceChecks(app, [renamed!])).toThrow(
      'production/data/Network/Vpc/publicSubnet1/DefaultRoute: acknowledges NIST.800.53.R5-VPCNoUnrestrictedRouteToIGW, and is no construct\n' +
        'production/data/Network/Vpc/publicSubnet2/DefaultRoute: acknowledges NIST.800.53.R5-VPCNoUnrestrictedRouteToIGW, and is no construct\n' +
        'remove or correct them in lib/tier/compliance',
    );
  });
});

describe('an acknowledgement', () => {
  const stack = new Stack(new App(), 'stack');
  const queue = new CfnResource(stack, 'Queue', { type: 'AWS::SQS::Queue' });
  Validations.of(queue).acknowledge({ id: 'Pack::Pack-SQS3', reason: 'told' });
  const found = (constructPath: string) => [{ ruleName: 'Pack-SQS3', description: '', violatingResources: [{ constructPath, locations: [] }] }];

  it('stands as long as its rule is broken by that very construct', () => {
    expect(staleAcknowledgements('Pack', stack, found('stack/Queue'))).toEqual([]);
  });

  it('is an error as soon as it is not', () => {
    const stale = [expect.objectContaining({ ruleName: 'Pack-StaleAcknowledgement[Pack-SQS3]', description: expect.stringContaining('Pack-SQS3 is acknowledged here and not found (any more)'), violatingResources: [{ constructPath: 'stack/Queue', locations: [] }] })];
    expect(staleAcknowledgements('Pack', stack, [])).toEqual(stale);
    expect(staleAcknowledgements('Pack', stack, found('stack/Other'))).toEqual(stale);
  });

  it('of another pack is not judged', () => {
    expect(staleAcknowledgements('OtherPack', stack, [])).toEqual([]);
  });
});
