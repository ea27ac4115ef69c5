import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Diagnosis, Problem } from '../../diagnosis/diagnosis';
import { renderAsMarkdown, renderForTerminal } from '../../diagnosis/render-diagnosis';
import type { Check } from '../report/report';
import { type Bench, checkOf } from './bench';

export interface MeasuredDiagnosis {
  readonly check: Check;
  /** What was found, for a terminal; the whole is in the files. */
  readonly findings: string;
}

/** Lets the diagnosis speak of the loads alone, not of how their data was made. */
export async function forgetStatements({ tier, connections }: Bench): Promise<void> {
  await tier.databases.primary.server.query('SELECT pg_stat_statements_reset()', [], connections.readWrite.database);
}

/** Calls the template's own diagnosis, as `npm run diagnose` would, and writes diagnosis.md and diagnosis.json. */
export async function measureDiagnosis({ tier }: Bench, directory: string): Promise<MeasuredDiagnosis> {
  const diagnosis = (await tier.functions.call(tier.parameters.value('DIAGNOSIS_FUNCTION_NAME'), {})) as Diagnosis;
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'diagnosis.json'), `${JSON.stringify(diagnosis, null, 2)}\n`);
  writeFileSync(join(directory, 'diagnosis.md'), renderAsMarkdown(diagnosis));
  // On RDS, the standby of a Multi-AZ instance mirrors its storage and is not seen; here it streams, and nobody asks it.
  const isOfStandby = ({ section }: Problem): boolean => tier.databases.hasStandby && section === 'unused-indexes';
  const unread = diagnosis.problems.filter((problem) => !isOfStandby(problem)).map(({ source, section, problem }) => `${source}${section ? `, ${section}` : ''}: ${problem}`);
  const detail = unread.length > 0 ? unread.join('; ') : `${diagnosis.sections.length} sections, ${diagnosis.findings.length} findings`;
  return { check: checkOf('diagnosis', unread.length, {}, detail), findings: `Diagnosis of ${renderForTerminal({ ...diagnosis, sections: [] }).trimEnd()}` };
}
