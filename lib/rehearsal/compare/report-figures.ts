import type { ApplicationResult } from '../report/application-result';
import type { Check, Report } from '../report/report';

/** A figure that two reports can be compared by. */
export interface Figure {
  /** The same in every report. */
  readonly key: string;
  readonly title: string;
  readonly unit: string;
  readonly value: number;
  readonly better: 'higher' | 'lower';
  /** A count of what must not happen: one more is worse, and no noise. */
  readonly exact?: boolean;
  /** In the unit; smaller differences tell nothing. @default 0 */
  readonly leastNoise?: number;
  /** Why the rehearsal failed by it. @default - it did not */
  readonly failure?: string;
}

/** Of a second or so are the pauses between two attempts of a client. */
const leastNoiseSeconds = 1;
const leastNoiseErrors = 2;

/** Everything of a report that a change may have made better or worse, in its order. */
export function figuresOf({ checks, indexedQueries = [], drills = [], application = [] }: Report): readonly Figure[] {
  return [
    ...checks.map(figureOfCheck),
    ...indexedQueries.map(({ index, pooled }): Figure => ({ key: `index ${index}`, title: `${index}, p95`, unit: 'ms', value: pooled.p95Ms, better: 'lower', leastNoise: 1 })),
    ...drills.flatMap((drill): readonly Figure[] => {
      const { name, title, asExpected, problems, visibleErrors, longestSilenceSeconds, recoverySeconds } = drill;
      const figure = (what: string, unit: string, value: number, rest: Partial<Figure> = {}): Figure => ({ key: `drill ${name} ${what}`, title: `${title}: ${what}`, unit, value, better: 'lower', ...rest });
      return [
        figure('not as expected', '', problems.length, { exact: true, ...(!asExpected && { failure: problems.join(', ') }) }),
        figure("errors with the kit's retry", '', visibleErrors, { leastNoise: leastNoiseErrors }),
        figure('longest silence', 's', longestSilenceSeconds, { leastNoise: leastNoiseSeconds }),
        ...(recoverySeconds === null ? [] : [figure('recovery', 's', recoverySeconds, { leastNoise: leastNoiseSeconds })]),
      ];
    }),
    ...application.flatMap(figuresOfApplication),
  ];
}

/** Their checks have the same names, so each is told with its application. */
function figuresOfApplication({ name, title, checks, requestsPerSecond, p95Ms, longestSilenceSeconds }: ApplicationResult): readonly Figure[] {
  const figure = (what: string, unit: string, value: number, better: Figure['better'], leastNoise = 0): Figure => ({ key: `application ${name} ${what}`, title: `${title}: ${what}`, unit, value, better, leastNoise });
  return [
    ...checks.map((check): Figure => ({ ...figureOfCheck(check), key: `application ${name} ${check.name}`, title: `${title}: ${check.title}` })),
    figure('requests under load', '/s', requestsPerSecond, 'higher'),
    ...(p95Ms === null ? [] : [figure('p95 of them', 'ms', p95Ms, 'lower')]),
    figure('longest wait, with the faults', 's', longestSilenceSeconds, 'lower', leastNoiseSeconds),
  ];
}

/** Which way is better stands in the target itself: `≥ 1,000`, `< 50`, `= 0`. */
function figureOfCheck({ name, title, unit, measured, target, verdict, detail }: Check): Figure {
  return {
    key: `target ${name}`,
    title,
    unit,
    value: measured,
    better: target.startsWith('≥') || target.startsWith('>') ? 'higher' : 'lower',
    ...(target.startsWith('=') && { exact: true }),
    ...(verdict === 'missed' && { failure: `the target is ${target} ${unit}${detail ? ` (${detail})` : ''}` }),
  };
}
