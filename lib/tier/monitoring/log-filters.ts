/** Whose log. */
export type LogSource = 'postgresql' | 'pooler';

/** Lines of a log that are counted: those that hold every one of the terms, as they stand. */
export interface LogFilter {
  readonly metric: string;
  readonly source: LogSource;
  readonly terms: readonly string[];
  /** What such a line says. */
  readonly what: string;
}

/**
 * Quoted terms only: CloudWatch then does what a substring test does, which tests make on lines of the real servers.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */
export const logFilters = [
  { metric: 'SlowQueries', source: 'postgresql', terms: ['LOG:', 'duration: ', ' ms'], what: 'a statement took longer than log_min_duration_statement' },
  { metric: 'DatabaseLoginsRefused', source: 'postgresql', terms: ['FATAL:', 'authentication failed'], what: 'a login at an instance was refused' },
  { metric: 'Deadlocks', source: 'postgresql', terms: ['ERROR:', 'deadlock detected'], what: 'a transaction was cancelled to resolve a deadlock' },
  { metric: 'StatementTimeouts', source: 'postgresql', terms: ['ERROR:', 'canceling statement due to statement timeout'], what: 'a statement ran into statement_timeout' },
  { metric: 'TransactionTimeouts', source: 'postgresql', terms: ['FATAL:', 'terminating connection due to', 'timeout'], what: 'a session ran into transaction_timeout or idle_in_transaction_session_timeout' },
  { metric: 'RecoveryConflicts', source: 'postgresql', terms: ['due to conflict with recovery'], what: 'a read on a replica was cancelled so that replay could go on' },
  { metric: 'PoolerLoginsRefused', source: 'pooler', terms: ['pooler error: ', 'SASL authentication failed'], what: 'a login at the pooler was refused' },
  { metric: 'PoolWaitTimeouts', source: 'pooler', terms: ['pooler error: ', 'query_wait_timeout'], what: 'a client got no server connection in time' },
  { metric: 'ServerLoginsFailed', source: 'pooler', terms: ['server login failed'], what: 'the pooler could not log in at an instance' },
] as const satisfies readonly LogFilter[];

export type LogMetric = (typeof logFilters)[number]['metric'];

/** Whether CloudWatch counts a line. */
export function matches({ terms }: LogFilter, line: string): boolean {
  return terms.every((term) => line.includes(term));
}
