import ora, { type Ora } from 'ora';

/** Says what is happening now: a spinner on a terminal, a line per step elsewhere. */
export class Progress {
  private readonly isTerminal: boolean;
  private readonly spinner: Ora;
  private readonly startedAt = Date.now();
  private step = '';

  constructor(private readonly stream: NodeJS.WriteStream = process.stderr) {
    // Of a terminal without a width, ora would erase lines without end.
    this.isTerminal = stream.isTTY && stream.columns > 0;
    // What Node.js heeds and ora does not: NO_COLOR, and terminals that have no colours.
    const colourless = this.isTerminal && !stream.hasColors();
    // stdin stays untouched, so that Ctrl-C arrives as a signal.
    this.spinner = ora({ stream, discardStdin: false, isEnabled: this.isTerminal, ...(colourless && { color: false }) });
  }

  /** Begins a step; the one before is done. */
  begin(step: string): void {
    this.succeed();
    this.step = step;
    this.show(step);
  }

  /** Tells how far the step is; shown on a terminal only. */
  update(detail: string): void {
    if (this.isTerminal) this.spinner.text = `${this.elapsed()} ${this.step}: ${detail}`;
  }

  /** Ends the step, with a word about its result. */
  succeed(result?: string): void {
    if (!this.step) return;
    const text = result ? `${this.step}: ${result}` : this.step;
    if (this.isTerminal) this.spinner.succeed(`${this.elapsed()} ${text}`);
    else if (result) this.stream.write(`${this.elapsed()}   ${result}\n`);
    this.step = '';
  }

  /** Ends the step that was under way as failed. */
  fail(): void {
    if (this.step && this.isTerminal) this.spinner.fail(`${this.elapsed()} ${this.step}`);
    this.step = '';
  }

  private show(text: string): void {
    if (this.isTerminal) this.spinner.start(`${this.elapsed()} ${text}`);
    else this.stream.write(`${this.elapsed()} ${text}\n`);
  }

  private elapsed(): string {
    const seconds = Math.floor((Date.now() - this.startedAt) / 1000);
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  }
}
