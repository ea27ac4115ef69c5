/** Where the mean of a figure lies, from what was measured. */
export interface ConfidenceRange {
  readonly mean: number;
  /** The mean lies so far to either side. */
  readonly halfWidth: number;
  readonly runs: number;
}

/** Below which no difference is worth a word, whatever the runs say. */
export interface LeastNoise {
  readonly absolute: number;
}

/** A figure that was measured once is taken to be that uncertain. */
export const assumedNoise = 0.1;
/** Runs that happen to agree are no more certain than that. */
export const leastNoise = 0.03;
export const confidencePercent = 80;

/** Student's t for two-sided 80 %, by degrees of freedom from 1. https://www.itl.nist.gov/div898/handbook/eda/section3/eda3672.htm */
const studentT = [3.078, 1.886, 1.638, 1.533, 1.476, 1.44, 1.415, 1.397, 1.383];

/** @param values of one run each, at least one */
export function confidenceRange(values: readonly number[], { absolute }: LeastNoise = { absolute: 0 }): ConfidenceRange {
  const runs = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / runs;
  const least = Math.max(absolute, Math.abs(mean) * (runs === 1 ? assumedNoise : leastNoise));
  if (runs === 1) return { mean, halfWidth: least, runs };
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (runs - 1));
  const t = studentT[Math.min(runs - 1, studentT.length) - 1]!;
  return { mean, halfWidth: Math.max(least, (t * deviation) / Math.sqrt(runs)), runs };
}

/** Whether two means differ by more than their noise. */
export function areApart(one: ConfidenceRange, other: ConfidenceRange): boolean {
  return Math.abs(one.mean - other.mean) > one.halfWidth + other.halfWidth;
}
