/**
 * The result of work on a database.
 *
 * @throws Error that passes by itself, if there is none in time: a server may vanish without a word, which TCP notices after minutes
 */
export async function answeredWithin<Result>(longestMs: number, work: Promise<Result>): Promise<Result> {
  if (await endsWithin(longestMs, work)) return work;
  throw new Error(`timeout expired: the database has not answered for ${longestMs / 1000} s, as after a failover`);
}

/** Waits until work has ended, but no longer than told; false if it goes on. */
export async function endsWithin(longestMs: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeIsOver = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), longestMs)));
  try {
    return await Promise.race([work.then(() => true), timeIsOver]);
  } finally {
    clearTimeout(timer);
  }
}
