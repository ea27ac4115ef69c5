/** What has been started and must be stopped, last started first. */
export class Teardown {
  private readonly steps: { readonly name: string; readonly stop: () => Promise<void> | void }[] = [];
  private finished?: Promise<readonly Error[]>;

  /** Registers how to stop something, right after it was started. */
  defer(name: string, stop: () => Promise<void> | void): void {
    this.steps.push({ name, stop });
  }

  /**
   * Stops everything once, however often it is called; one failure does not keep the rest running.
   *
   * @returns what failed, by name
   */
  run(): Promise<readonly Error[]> {
    this.finished ??= this.stopAll();
    return this.finished;
  }

  private async stopAll(): Promise<readonly Error[]> {
    const failures: Error[] = [];
    for (let step = this.steps.pop(); step; step = this.steps.pop()) {
      try {
        await step.stop();
      } catch (error) {
        failures.push(new Error(`could not stop ${step.name}: ${(error as Error).message}`, { cause: error }));
      }
    }
    return failures;
  }
}
