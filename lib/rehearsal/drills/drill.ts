import type { Connections } from '../connections';
import type { TierUnderRehearsal } from '../deployment/tier-under-rehearsal';
import type { Expectations, FigureDefinition } from './expectations';
import type { DrillEvent } from './drill-result';
import type { Ledger } from './ledger';
import type { LedgerClientsOptions } from './ledger-clients';

/** A fault that is made on purpose, and what must come of it. */
export interface Drill {
  /** As on the command line. */
  readonly name: string;
  readonly title: string;
  readonly expectations: Expectations;
  /** Figures of this drill alone. @default - none */
  readonly figures?: readonly FigureDefinition[];
  /** Why no better is expected. */
  readonly why: string;
  /** Clients that write meanwhile. @default - 24 that pause for 50 ms between transactions */
  readonly clients?: { readonly count: number; readonly pauseMs: number };
  /** The tier is brought up anew for the next drill. @default false */
  readonly breaksTheTier?: boolean;
  /** Read replicas that it takes: an environment with fewer is drilled with as many. @default - those of the environment */
  readonly readReplicas?: number;
  /** Why this tier cannot be drilled so; undefined if it can. */
  readonly lacks?: (tier: TierUnderRehearsal) => string | undefined;
  /** Makes the fault and repairs it; clients write before, meanwhile and until they have recovered. */
  readonly run: (scene: DrillScene) => Promise<void>;
}

export interface OtherClients {
  readonly ledger: Ledger;
  readonly recovered: () => Promise<number | null>;
}

/** The tier with clients on it, for the length of one drill. */
export interface DrillScene {
  readonly tier: TierUnderRehearsal;
  readonly connections: Connections;
  readonly ledger: Ledger;
  /** Numbers of the clients that write. */
  readonly clients: readonly number[];
  /** Says that something has been done just now. Recovery counts from the last repair, or the first fault if there is none. */
  readonly mark: (kind: DrillEvent['kind'], what: string) => void;
  /** Waits until every client has committed since the last repair, or the first fault. @returns how long that took; null if one never did */
  readonly recovered: () => Promise<number | null>;
  /** Starts further clients, with a ledger of their own, until the end of the drill. */
  readonly startClients: (options: LedgerClientsOptions) => OtherClients;
  /** Sets a figure of the drill. */
  readonly measure: (name: string, value: number) => void;
  /** Undoes something at the end of the drill, whatever happens; last deferred first. */
  readonly defer: (what: string, undo: () => Promise<void> | void) => void;
  /** Lets time pass. @throws if the rehearsal is interrupted */
  readonly wait: (seconds: number) => Promise<void>;
}
