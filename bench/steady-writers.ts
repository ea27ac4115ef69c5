import type { Client } from 'pg';

/** How writes went, timed from the moment at which each was due: one that waits makes the next ones late, and they count. */
export interface WriteLatencies {
  readonly latenciesMs: readonly number[];
  readonly failed: number;
}

const insertBooking = `
  WITH booked AS (
    INSERT INTO appointments (barber_id, client_id, location_id, appointment_date, duration_minutes, status)
    VALUES ($1, $2, 1, timestamptz '2026-01-04' + $3 * interval '1 day', 30, 'confirmed') RETURNING id, client_id
  )
  INSERT INTO payments (appointment_id, user_id, amount_cents, status) SELECT id, client_id, 2500, 'paid' FROM booked`;

/** Bookings at a steady rate, however long each takes, while something else goes on. */
export class SteadyWriters {
  private readonly idle: Client[];
  private readonly due: number[] = [];
  private readonly latenciesMs: number[] = [];
  private readonly timer: NodeJS.Timeout;
  private readonly startedAt = performance.now();
  private scheduled = 0;
  private failed = 0;
  private underWay = 0;

  /** @param sessions at most so many writes are under way at once; the others wait, and their wait counts */
  constructor(
    sessions: readonly Client[],
    private readonly writesPerSecond: number,
    /** Appointments of the sample: its people are in proportion. */
    private readonly rows: number,
  ) {
    this.idle = [...sessions];
    this.timer = setInterval(() => this.schedule(), 2);
  }

  /** Ends once every write that was due has been answered. */
  async stop(): Promise<WriteLatencies> {
    clearInterval(this.timer);
    while (this.underWay > 0 || this.due.length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    return { latenciesMs: this.latenciesMs, failed: this.failed };
  }

  private schedule(): void {
    const now = performance.now();
    for (; this.scheduled < ((now - this.startedAt) * this.writesPerSecond) / 1000; this.scheduled++) {
      this.due.push(this.startedAt + (this.scheduled * 1000) / this.writesPerSecond);
    }
    this.dispatch();
  }

  private dispatch(): void {
    while (this.idle.length > 0 && this.due.length > 0) void this.write(this.idle.pop()!, this.due.shift()!);
  }

  private async write(session: Client, dueAt: number): Promise<void> {
    this.underWay += 1;
    const random = (most: number): number => 1 + Math.floor(Math.random() * most);
    const barbers = Math.floor(this.rows / 500);
    try {
      await session.query({ name: 'booking', text: insertBooking, values: [random(barbers), barbers + random(this.rows / 10), random(364)] });
      this.latenciesMs.push(performance.now() - dueAt);
    } catch {
      this.failed += 1;
    }
    this.underWay -= 1;
    this.idle.push(session);
    this.dispatch();
  }
}
