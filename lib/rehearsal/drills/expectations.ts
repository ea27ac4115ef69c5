import type { DrillMetric, DrillResult } from './drill-result';

/** What must hold at the end of a drill; what is left out is reported alone. */
export interface Expectations {
  /** Acknowledged writes that may be missing. @default 0 */
  readonly lost?: number | 'reported';
  readonly unknownOutcomes?: number;
  readonly errors?: number;
  readonly mostErrorsOfAClient?: number;
  /** Errors one after another are one. */
  readonly mostInterruptionsOfAClient?: number;
  /** With the kit's retry. */
  readonly visibleErrors?: number;
  /** With the kit's retry. */
  readonly mostVisibleErrorsOfAClient?: number;
  readonly errorsAfterFirstStatement?: number;
  readonly longestSilenceSeconds?: number;
  readonly recoverySeconds?: number;
}

/** A figure of one drill alone. */
export interface FigureDefinition {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly limit?: DrillMetric['limit'];
}

export type Figures = Pick<DrillResult, 'acknowledged' | keyof Expectations>;

type LimitedFigure = keyof Expectations;

/** In the order in which they are told. */
const limitedFigures: readonly { readonly name: LimitedFigure; readonly title: string; readonly unit: string }[] = [
  { name: 'lost', title: 'acknowledged writes lost', unit: '' },
  { name: 'unknownOutcomes', title: 'unknown outcomes', unit: '' },
  { name: 'errors', title: 'errors', unit: '' },
  { name: 'mostErrorsOfAClient', title: 'errors of any client', unit: '' },
  { name: 'mostInterruptionsOfAClient', title: 'interruptions of any client', unit: '' },
  { name: 'visibleErrors', title: "errors with the kit's retry", unit: '' },
  { name: 'mostVisibleErrorsOfAClient', title: "errors of any client with the kit's retry", unit: '' },
  { name: 'errorsAfterFirstStatement', title: 'errors after the first statement of a transaction', unit: '' },
  { name: 'longestSilenceSeconds', title: 'silence of any client', unit: 's' },
  { name: 'recoverySeconds', title: 'until every client commits again', unit: 's' },
];

/** The expectations as one sentence. */
export function describeExpectations(expectations: Expectations, definitions: readonly FigureDefinition[]): string {
  const own = limitedFigures.flatMap(({ name, title, unit }) => {
    const limit = limitOf(expectations, name);
    return limit === undefined ? [] : [`${title} ${comparison(limit)} ${withUnit(limit, unit)}`];
  });
  const further = definitions.flatMap(({ title, unit, limit }) => (limit ? [`${title} ${limit.comparison} ${withUnit(limit.value, unit)}`] : []));
  return [...own, ...further].join(', ');
}

/** What is not as expected, a sentence each. */
export function unmetExpectations(expectations: Expectations, figures: Figures, definitions: readonly FigureDefinition[], measured: ReadonlyMap<string, number>): readonly string[] {
  const own = limitedFigures.flatMap(({ name, title, unit }) => {
    const [limit, value] = [limitOf(expectations, name), figures[name]];
    if (limit === undefined) return [];
    if (value === null) return [`${title}: never; expected within ${withUnit(limit, unit)}`];
    return value <= limit ? [] : [`${title}: ${withUnit(value, unit)}; expected ${comparison(limit)} ${withUnit(limit, unit)}`];
  });
  const further = definitions.flatMap(({ name, title, unit, limit }) => {
    if (!limit) return [];
    const value = measured.get(name);
    if (value === undefined) return [`${title}: not measured; expected ${limit.comparison} ${withUnit(limit.value, unit)}`];
    const holds = { '≤': value <= limit.value, '≥': value >= limit.value, '=': value === limit.value }[limit.comparison];
    return holds ? [] : [`${title}: ${withUnit(value, unit)}; expected ${limit.comparison} ${withUnit(limit.value, unit)}`];
  });
  const idle = figures.acknowledged === 0 ? ['no client committed anything, so the drill shows nothing'] : [];
  return [...idle, ...own, ...further];
}

function limitOf(expectations: Expectations, name: LimitedFigure): number | undefined {
  const limit = name === 'lost' ? (expectations.lost ?? 0) : expectations[name];
  return limit === 'reported' ? undefined : limit;
}

function comparison(limit: number): string {
  return limit === 0 ? '=' : '≤';
}

function withUnit(value: number, unit: string): string {
  const text = Number.isInteger(value) ? String(value) : value.toFixed(2);
  return unit === '' ? text : `${text} ${unit}`;
}
