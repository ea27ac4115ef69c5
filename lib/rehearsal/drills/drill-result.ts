/** What a drill did to the tier, and what its clients saw of it. Seconds count from the first of them. */
export interface DrillResult {
  /** As on the command line: `primary-restart`. */
  readonly name: string;
  readonly title: string;
  /** What must hold, in figures. */
  readonly expected: string;
  /** Why these figures, and not better ones. */
  readonly why: string;
  readonly asExpected: boolean;
  /** What was not as expected, a sentence each. */
  readonly problems: readonly string[];

  /** Transactions whose COMMIT was answered. */
  readonly acknowledged: number;
  /** Of those, the ones that the database does not have. */
  readonly lost: number;
  /** Transactions whose connection broke while COMMIT was under way: a client cannot tell whether they took place. */
  readonly unknownOutcomes: number;
  /** Errors that an application would have seen, over all clients. */
  readonly errors: number;
  readonly mostErrorsOfAClient: number;
  /** Without a retry; errors of a client are one interruption until it commits again. */
  readonly mostInterruptionsOfAClient: number;
  /** Of those errors, what remains where the application kit's retry tries again what failed before the first statement. */
  readonly visibleErrors: number;
  readonly mostVisibleErrorsOfAClient: number;
  /** Errors once a transaction had done something, so that a retry is not safe without thought. */
  readonly errorsAfterFirstStatement: number;
  /** The longest that any client got neither a commit nor an error. */
  readonly longestSilenceSeconds: number;
  /** From the repair, or the fault if none is needed, until the last client has committed; null if there was none. */
  readonly recoverySeconds: number | null;
  readonly durationSeconds: number;

  readonly events: readonly DrillEvent[];
  readonly timeline: readonly DrillSecond[];
  /** What else this drill measures. */
  readonly metrics?: readonly DrillMetric[];
}

/** Something that was done, for the timeline. */
export interface DrillEvent {
  readonly atSeconds: number;
  readonly what: string;
  readonly kind: 'fault' | 'repair' | 'note';
}

/** One second of the timeline, which begins then. */
export interface DrillSecond {
  readonly atSeconds: number;
  readonly committed: number;
  readonly errors: number;
}

export interface DrillMetric {
  readonly name: string;
  readonly title: string;
  readonly value: number;
  readonly unit: string;
  /** Reported alone without one. */
  readonly limit?: { readonly comparison: '≤' | '≥' | '='; readonly value: number };
}
