import type { Report } from './report';
import { formatNumber } from './target-table';

/** The report in a line: what was missed, or that nothing was. */
export interface Headline {
  readonly failed: boolean;
  readonly text: string;
}

/** Says what is wrong before anything else does: a line of a log may be all that is read. */
export function headline({ checks, drills = [], application = [] }: Pick<Report, 'checks' | 'drills' | 'application'>): Headline {
  const missed = [...missedOf(checks), ...application.flatMap((each) => missedOf(each.checks).map((text) => `${each.title}: ${text}`))];
  const unexpected = drills.filter(({ asExpected }) => !asExpected).map(({ title, problems }) => `${title}: ${problems.join(', ')}`);
  const problems = [...missed, ...unexpected];
  if (problems.length > 0) return { failed: true, text: `failed: ${problems.join('; ')}` };
  const limited = checks.filter(({ verdict }) => verdict === 'limited by this machine').length;
  const parts = [
    ...(checks.length > 0 ? [`none of ${checks.length} targets was missed${limited > 0 ? `, ${limited} could not be shown on this machine` : ''}`] : []),
    ...(application.length > 0 ? [`${application.length} applications went through pooler replacement and primary restart`] : []),
    ...(drills.length > 0 ? [`${drills.length} drills went as expected`] : []),
  ];
  return { failed: false, text: `passed: ${parts.join('; ')}` };
}

function missedOf(checks: Report['checks']): readonly string[] {
  return checks
    .filter(({ verdict }) => verdict === 'missed')
    .map(({ title, measured, unit, target, detail }) => `${title} is ${formatNumber(measured)} ${unit}, not ${target}${detail ? ` (${detail})` : ''}`);
}
