import type { DrillSecond } from './drill-result';

/** How far a transaction had come: `connect` takes a connection from the pool and asks whether it lives. */
export type TransactionStage = 'connect' | 'begin' | 'statement' | 'commit';

interface LedgerError {
  readonly client: number;
  readonly atSeconds: number;
  readonly stage: TransactionStage;
  readonly message: string;
}

/** The application kit tries again for so long what failed before the first statement of a transaction. */
const retriedSeconds = 10;

/** What every client was answered, and when. */
export class Ledger {
  readonly acknowledged = new Map<number, number>();
  readonly unknown = new Set<number>();
  readonly errors: LedgerError[] = [];
  private readonly commits: { readonly client: number; readonly atSeconds: number; readonly seconds: number }[] = [];
  private readonly heardAt = new Map<number, number>();
  /** When a client's attempts began to fail, of those that fail now. */
  private readonly failingSince = new Map<number, number>();
  private longestSilence = 0;
  private readonly visible = new Map<number, number>();
  private readonly interruptions = new Map<number, number>();
  private readonly interrupted = new Set<number>();

  constructor(private readonly startedAt = performance.now()) {}

  /** One more, with the same clock. */
  another(): Ledger {
    return new Ledger(this.startedAt);
  }

  /** Since the drill began. */
  get seconds(): number {
    return (performance.now() - this.startedAt) / 1000;
  }

  /** A client begins to work, or to wait for its answer. */
  begin(client: number): void {
    this.heardAt.set(client, this.seconds);
  }

  commit(client: number, id: number): void {
    const begunAt = this.heardAt.get(client);
    const atSeconds = this.hear(client);
    this.failingSince.delete(client);
    this.interrupted.delete(client);
    this.acknowledged.set(id, atSeconds);
    this.commits.push({ client, atSeconds, seconds: atSeconds - (begunAt ?? atSeconds) });
  }

  fail(client: number, id: number, stage: TransactionStage, message: string): void {
    const atSeconds = this.hear(client);
    this.errors.push({ client, atSeconds, stage, message });
    if (stage === 'commit') this.unknown.add(id);
    if (!this.interrupted.has(client)) this.interruptions.set(client, (this.interruptions.get(client) ?? 0) + 1);
    this.interrupted.add(client);
    const since = this.failingSince.get(client) ?? atSeconds;
    const isRetried = isBeforeFirstStatement(stage) && atSeconds - since < retriedSeconds;
    if (isRetried) this.failingSince.set(client, since);
    else {
      this.failingSince.delete(client);
      this.visible.set(client, (this.visible.get(client) ?? 0) + 1);
    }
  }

  /** Errors that an application shows which uses the kit's retry. */
  get visibleErrors(): number {
    return [...this.visible.values()].reduce((sum, count) => sum + count, 0);
  }

  get mostVisibleErrorsOfAClient(): number {
    return Math.max(0, ...this.visible.values());
  }

  get mostInterruptionsOfAClient(): number {
    return Math.max(0, ...this.interruptions.values());
  }

  get errorsAfterFirstStatement(): number {
    return this.errors.filter(({ stage }) => !isBeforeFirstStatement(stage)).length;
  }

  get mostErrorsOfAClient(): number {
    const counts = new Map<number, number>();
    for (const { client } of this.errors) counts.set(client, (counts.get(client) ?? 0) + 1);
    return Math.max(0, ...counts.values());
  }

  /** Of clients that wait now too. */
  get longestSilenceSeconds(): number {
    return Math.max(this.longestSilence, ...[...this.heardAt.values()].map((at) => this.seconds - at));
  }

  /** How long the transactions took that were committed since then, check-out of a connection included. */
  latenciesSince(seconds: number): readonly number[] {
    return this.commits.filter(({ atSeconds }) => atSeconds >= seconds).map((commit) => commit.seconds);
  }

  /** When the last of the clients committed for the first time since then; undefined if one has not yet. */
  allCommittedSince(seconds: number, clients: readonly number[]): number | undefined {
    const first = new Map<number, number>();
    for (let index = this.commits.length - 1; index >= 0 && this.commits[index]!.atSeconds >= seconds; index--) {
      first.set(this.commits[index]!.client, this.commits[index]!.atSeconds);
    }
    if (!clients.every((client) => first.has(client))) return undefined;
    return Math.max(...clients.map((client) => first.get(client)!));
  }

  /** A client has ended. */
  end(client: number): void {
    const at = this.heardAt.get(client);
    if (at !== undefined) this.longestSilence = Math.max(this.longestSilence, this.seconds - at);
    this.heardAt.delete(client);
  }

  timeline(): readonly DrillSecond[] {
    const seconds = Array.from({ length: Math.ceil(this.seconds) }, (_, atSeconds) => ({ atSeconds, committed: 0, errors: 0 }));
    const at = ({ atSeconds }: { readonly atSeconds: number }) => seconds[Math.min(Math.floor(atSeconds), seconds.length - 1)]!;
    for (const commit of this.commits) at(commit).committed += 1;
    for (const error of this.errors) at(error).errors += 1;
    return seconds;
  }

  /** What was said most, with how often and at which stage. */
  commonErrors(most: number): readonly string[] {
    const counts = new Map<string, number>();
    for (const { stage, message } of this.errors) counts.set(`${stage}: ${message}`, (counts.get(`${stage}: ${message}`) ?? 0) + 1);
    return [...counts].sort(([, a], [, b]) => b - a).slice(0, most).map(([text, count]) => `${count} × ${text}`);
  }

  private hear(client: number): number {
    const now = this.seconds;
    this.longestSilence = Math.max(this.longestSilence, now - (this.heardAt.get(client) ?? now));
    this.heardAt.set(client, now);
    return now;
  }
}

function isBeforeFirstStatement(stage: TransactionStage): boolean {
  return stage === 'connect' || stage === 'begin';
}
