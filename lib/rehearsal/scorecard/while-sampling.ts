/** Takes samples again and again while something runs, and once more at its end. */
export async function whileSampling<Result>(everyMs: number, sample: () => Promise<void>, work: () => Promise<Result>): Promise<Result> {
  let running = true;
  const sampling = (async () => {
    while (running) {
      await sample();
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  })();
  // A sampler that fails fails the measurement, but only once the work is over: it must not run on by itself.
  sampling.catch(() => undefined);
  try {
    return await work();
  } finally {
    running = false;
    await sampling;
  }
}
