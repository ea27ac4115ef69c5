import { cpus, totalmem } from 'node:os';

import type { TierUnderRehearsal } from '../deployment/tier-under-rehearsal';
import type { Scorecard } from '../scorecard/scorecard';
import { type Report, reportSchemaVersion } from './report';
import { fidelityRow } from './fidelity';
import { topologyOf } from './topology';

/** What one machine cannot show, whatever it measures. */
const notProven = [
  "RDS's own failover time, backups, storage throughput and network latency",
  'IAM policies, security groups and subnets: everything here may talk to everything',
  'Graviton: the same versions run here on the processor of this machine',
];

/** The report on a tier that ran here since then, with what was measured of it, if anything. */
export function composeReport(environment: string, startedAt: Date, tier: TierUnderRehearsal, measured: Scorecard & Pick<Report, 'application'> = { checks: [] }): Report {
  return {
    schemaVersion: reportSchemaVersion,
    environment,
    startedAt: startedAt.toISOString(),
    durationSeconds: Math.round((Date.now() - startedAt.getTime()) / 1000),
    machine: { cores: cpus().length, memoryMiB: Math.round(totalmem() / 2 ** 20) },
    ...measured,
    topology: topologyOf(tier),
    fidelity: tier.deployment.resources.map(fidelityRow),
    scaled: tier.deployment.resources.flatMap(({ scaled }) => scaled),
    notProven,
  };
}
