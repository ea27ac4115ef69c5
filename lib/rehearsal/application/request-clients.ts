import { setTimeout as sleep } from 'node:timers/promises';

import type { Ledger, TransactionStage } from '../drills/ledger';
import type { Answer, ApplicationProcess } from './application-process';

/** Of each application. */
const clients = 6;
const pauseMs = 20;
/** The sample has more of each. */
const people = 100;

/** People who book and look, one request after another, at one application; its answers stand in a ledger. */
export class RequestClients {
  readonly ledger: Ledger;
  readonly numbers = Array.from({ length: clients }, (_, number) => number);
  /** Of requests that were answered well. */
  readonly latencies: { readonly atSeconds: number; readonly ms: number }[] = [];
  /** Reads that were answered elsewhere than expected. */
  misplacedReads = 0;
  reads = 0;
  private stopped = false;
  private failures = 0;
  private readonly running: Promise<unknown>;

  /** @param readsOnStandby where reads belong in this tier */
  constructor(
    private readonly application: ApplicationProcess,
    private readonly readsOnStandby: boolean,
    clock: Ledger,
  ) {
    this.ledger = clock.another();
    this.running = Promise.all(this.numbers.map((number) => this.work(number)));
    // It fails the rehearsal when it is waited for.
    this.running.catch(() => undefined);
  }

  /** Lets every request end. @throws Error if the application died */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  private async work(client: number): Promise<void> {
    for (let count = 0; !this.stopped; count++) {
      this.ledger.begin(client);
      const person = 1 + ((client + count) % people);
      await this.answered(client, 'POST', `/bookings?barber=${person}&client=${person}`, ({ id }) => this.ledger.commit(client, Number(id)));
      await this.answered(client, 'GET', `/barbers/${person}/bookings`, ({ standby }) => {
        this.reads += 1;
        if (standby !== this.readsOnStandby) this.misplacedReads += 1;
      });
      await sleep(pauseMs);
    }
    this.ledger.end(client);
  }

  private async answered(client: number, method: 'GET' | 'POST', path: string, note: (body: Answer['body']) => void): Promise<void> {
    const startedAt = this.ledger.seconds;
    const { ok, body } = await this.application.request(method, path);
    if (ok) {
      this.latencies.push({ atSeconds: startedAt, ms: (this.ledger.seconds - startedAt) * 1000 });
      note(body);
    } else {
      // No booking has a number below zero: nobody knows which one it would have got.
      this.failures += 1;
      this.ledger.fail(client, -this.failures, body.phase as TransactionStage, String(body.error));
    }
  }
}
