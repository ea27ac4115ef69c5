/** An error of PostgreSQL has a severity; one of the connection to it has not. */
export type DatabaseError = Error & { readonly code?: string; readonly severity?: string };

/** An error as the SDK of AWS throws it. */
interface AwsApiError {
  readonly name: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** A failover, a restart, DDL in the way, a server that has no room just now, or an API of AWS that has no time: it passes, and the next look may succeed. */
export function isPassing(error: DatabaseError): boolean {
  const { code = '', message, severity } = error;
  if (severity !== undefined) return /^(08|40|57P|55P03|53[0-3]|57014|25006)/.test(code);
  const { name, $metadata: { httpStatusCode = 0 } = {} } = error as AwsApiError; // prettier-ignore
  if (name === 'TimeoutError' || httpStatusCode >= 500 || httpStatusCode === 429 || name.includes('Throttling')) return true;
  return /^(ECONN|ETIMEDOUT|EPIPE|EHOSTUNREACH|ENOTFOUND|EAI_AGAIN)/.test(code) || /^(Connection terminated|timeout expired|Client has encountered a connection error)/.test(message);
}
