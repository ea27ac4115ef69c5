import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { rehearse, type RehearsalOptions } from './rehearsal';
import { reportFileName } from './report/report';

/**
 * Rehearses several times, each time anew and with a report in a directory of its own.
 *
 * @returns whether a target was missed in any of them
 * @throws Error if one could not run, or the directory holds reports that would be taken for these
 */
export async function rehearseRepeatedly(repeats: number, options: RehearsalOptions): Promise<boolean> {
  const { report, keep, progress } = options;
  if (keep) throw new Error(`--keep leaves one rehearsal running, and --repeats ${repeats} asks for ${repeats}; leave one of them out`);
  const others = existsSync(report) ? readdirSync(report).filter((name) => name === reportFileName || /^run-\d+$/.test(name)) : [];
  if (others.length > 0) throw new Error(`${report} holds ${others.join(', ')} of another rehearsal, which compare would count among these; name another directory with --report`);
  let missed = false;
  for (let run = 1; run <= repeats; run++) {
    progress.begin(`Rehearsal ${run} of ${repeats}`);
    missed = (await rehearse({ ...options, report: join(report, `run-${run}`) })) || missed;
  }
  return missed;
}
