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
