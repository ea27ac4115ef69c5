/**
 * A variable that the construct of a function sets.
 *
 * @throws Error that names it, if it is not set
 */
export function requiredVariable(environment: NodeJS.ProcessEnv, name: string): string {
  const value = environment[name];
  if (!value) throw new Error(`environment variable ${name} is not set; the construct that makes this function sets it`);
  return value;
}

/** Writes one structured line to the log of a function. */
export function logEvent(event: Readonly<Record<string, unknown>>): void {
  console.log(JSON.stringify(event));
}

/** Of a client of AWS: an API that does not answer must not take the time of all others. By itself, a client waits for ever. */
export const impatientClient = { maxAttempts: 2, requestHandler: { connectionTimeout: 1000, requestTimeout: 3000, throwOnRequestTimeout: true } } as const;
