/** Raised when a field changes its meaning or goes away; fields may be added without it. */
export const diagnosisSchemaVersion = 1;

/** Sections of the report, in the order in which an on-call person asks. */
export const sectionNames = [
  'pools',
  'pooler-clients',
  'pooler-servers',
  'connections',
  'lock-waits',
  'long-running',
  'slow-queries',
  'most-time',
  'sequential-scans',
  'unused-indexes',
  'duplicate-indexes',
  'invalid-indexes',
  'dead-rows',
  'replication',
  'pending-restarts',
  'instances',
] as const;
export type SectionName = (typeof sectionNames)[number];

/** What a figure is, so that a person reads `1.2 GiB` and a program 1288490188. */
export type Format = 'text' | 'count' | 'bytes' | 'seconds' | 'milliseconds' | 'percent';

export interface Column {
  /** Key in the rows; ends in its unit. */
  readonly key: string;
  readonly title: string;
  /** @default 'text' */
  readonly format?: Format;
}

export type Cell = string | number | boolean | null;
export type Row = Readonly<Record<string, Cell>>;

export interface SectionHead {
  readonly name: SectionName;
  readonly title: string;
  /** What a row is, and from which limit on. */
  readonly about: string;
  readonly columns: readonly Column[];
}

export interface Section extends SectionHead {
  readonly rows: readonly Row[];
}

/** Worst first. */
export const severities = ['critical', 'warning', 'notice'] as const;

/** Something to act on. */
export interface Finding {
  readonly severity: (typeof severities)[number];
  /** Of which section; its rows are the evidence. @default - of no section: someone did not answer */
  readonly section?: SectionName;
  /** What was found, with the figure. */
  readonly what: string;
  /** What to do first. */
  readonly next: string;
  /** Heading in docs/runbook.md. */
  readonly runbook?: string;
}

/** A part that could not be asked or read: the rest is there. */
export interface Problem {
  readonly source: string;
  /** @default - the whole source */
  readonly section?: SectionName;
  readonly problem: string;
}

/** What a database tier looks like now. Holds neither parameters of queries nor values of keys. */
export interface Diagnosis {
  readonly schemaVersion: typeof diagnosisSchemaVersion;
  /** Name of the environment, or where the database is. */
  readonly subject: string;
  /** ISO 8601, UTC. */
  readonly takenAt: string;
  /** Worst first. */
  readonly findings: readonly Finding[];
  readonly problems: readonly Problem[];
  readonly sections: readonly Section[];
}

/** From which limit on something is in the report. */
export interface Limits {
  /** How long the first client of a pool may wait for a server connection, seconds. */
  readonly clientWaitSeconds: number;
  /** Mean execution time of a statement, milliseconds. */
  readonly slowQueryMs: number;
  /** Age of a statement or a transaction, seconds. */
  readonly longRunningSeconds: number;
  /** How long a session may do nothing inside a transaction, seconds. */
  readonly idleInTransactionSeconds: number;
  /** Rows that a sequential scan reads on average. */
  readonly sequentialScanRows: number;
  /** Sequential scans of a table; a few come from index builds and dumps. */
  readonly sequentialScans: number;
  /** Dead rows of a table, and their share of all. */
  readonly deadRows: number;
  readonly deadRowsPercent: number;
  /** Statistics must be as old as this before an index counts as unused, seconds: a weekly job uses it too. */
  readonly unusedIndexSeconds: number;
  /** How far a replica may be behind, seconds. */
  readonly replicaDelaySeconds: number;
}

export const defaultLimits: Limits = {
  clientWaitSeconds: 1,
  slowQueryMs: 100,
  longRunningSeconds: 300,
  idleInTransactionSeconds: 10,
  sequentialScanRows: 10_000,
  sequentialScans: 100,
  deadRows: 10_000,
  deadRowsPercent: 20,
  unusedIndexSeconds: 7 * 86_400,
  replicaDelaySeconds: 5,
};
