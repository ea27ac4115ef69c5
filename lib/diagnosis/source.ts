import type { Client } from 'pg';

/** Someone to be asked: an instance, or the admin console of a pooler's task. */
export interface Source {
  readonly name: string;
  /** Opens a session; rejects if nobody answers within seconds. */
  readonly connect: () => Promise<Client>;
}

export type Answer<Reading> = { readonly reading: Reading } | { readonly problem: string };

/** Asks one source; one that does not answer in time is a problem, never an exception. */
export async function ask<Reading>({ connect }: Source, patienceMs: number, read: (session: Client) => Promise<Reading>): Promise<Answer<Reading>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${patienceMs / 1000} s`)), patienceMs);
  });
  const opening = connect();
  try {
    return { reading: await Promise.race([opening.then(read), late]) };
  } catch (error) {
    return { problem: reasonOf(error) };
  } finally {
    clearTimeout(timer);
    // Also one that opens too late.
    void opening.then((session) => session.end()).catch(() => undefined);
  }
}

/** A name with several addresses fails with one error for each, and no message of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map((each: Error) => each.message).join('; ');
  return (error as Error).message;
}
