import { RDSClient } from '@aws-sdk/client-rds';

import { diagnose } from '../../diagnosis/diagnose';
import { type Diagnosis, type Row, type SectionName, sectionNames } from '../../diagnosis/diagnosis';
import { impatientClient, requiredVariable } from '../function-runtime';
import { pendingReboots } from '../indexes/instance-state';
import { type DiagnosisRequest, observerEnvironment } from './monitoring.contract';
import { pairs, tierSources } from './tier-sources';

const rds = new RDSClient(impatientClient);

/**
 * On demand: what the tier looks like now. The answer fits Lambda's 6 MB, since every section has a limit of rows.
 *
 * @throws Error that names the sections, if another one is asked for
 */
export async function handler({ only }: DiagnosisRequest): Promise<Diagnosis> {
  const unknown = only?.filter((name) => !sectionNames.includes(name as SectionName)) ?? [];
  if (unknown.length > 0) throw new Error(`there is no section ${unknown.join(', ')}; there are ${sectionNames.join(', ')}`);
  const unlisted: string[] = [];
  const sources = await tierSources(process.env, 'diagnosis', (problem) => unlisted.push(problem));
  return diagnose({
    subject: requiredVariable(process.env, observerEnvironment.environmentName),
    ...sources,
    only: only as readonly SectionName[] | undefined,
    problems: unlisted.map((problem) => ({ source: 'ECS', section: 'pools', problem: `its tasks could not be listed: ${problem}` })),
    pendingRestarts,
  });
}

async function pendingRestarts(): Promise<readonly Row[]> {
  const found = await Promise.all(
    pairs(requiredVariable(process.env, observerEnvironment.instanceIdentifiers)).map(async ([instance, identifier]): Promise<readonly Row[]> => {
      const pending = await pendingReboots(rds, [identifier]);
      return pending.map(() => ({ instance, parameter: 'its parameter group', command: `aws rds reboot-db-instance --db-instance-identifier ${identifier}` }));
    }),
  );
  return found.flat();
}
