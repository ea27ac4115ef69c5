import type { Check } from './report';

/** What an application on the application kit showed, from its start through the faults under it. */
export interface ApplicationResult {
  /** Stable key, for example `fastapi-asyncpg`. */
  readonly name: string;
  readonly title: string;
  readonly checks: readonly Check[];
  /** Under load, together with the other applications, before any fault. */
  readonly requestsPerSecond: number;
  /** Of those requests; null if none was answered well. */
  readonly p95Ms: number | null;
  /** The longest that a client of it waited for an answer, faults included. */
  readonly longestSilenceSeconds: number;
}
