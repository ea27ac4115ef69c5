import { percentile } from '../lib/rehearsal/load/percentile';

/** A figure over runs: its median, and how far they lie apart. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: percentile(values, 50), least: Math.min(...values), most: Math.max(...values) };
}

/** `1.07 (0.98–1.15)`, each with as many digits as the median can bear. */
export function renderSpread({ median, least, most }: Spread): string {
  const digits = median >= 1000 ? 0 : median >= 100 ? 1 : 2;
  const text = (value: number): string => value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${text(median)} (${text(least)}–${text(most)})`;
}
