/** What a deploy does to those who use the tier, worst first. */
export const impacts = ['data loss', 'downtime', 'deploy fails', 'brief failover', 'rolling replacement', 'no interruption'] as const;

export type Impact = (typeof impacts)[number];

/** What each means, for `--help` and for the reader of a review. */
export const impactMeanings: Readonly<Record<Impact, string>> = {
  'data loss': 'something that holds state is deleted, replaced by an empty one, or left behind',
  downtime: 'users cannot read or cannot write for longer than a failover',
  'deploy fails': 'AWS refuses the change; the stack is rolled back',
  'brief failover': 'connections break; the standby takes over within one or two minutes',
  'rolling replacement': 'tasks are replaced one after another; clients reconnect',
  'no interruption': 'nobody notices',
};

/** Kinds of change, in the order in which a review shows them. */
export const sections = {
  state: 'What holds state',
  parameters: 'PostgreSQL parameters',
  security: 'Security',
  indexes: 'Indexes',
  pooler: 'Pools and connection budget',
  alarms: 'Alarms and metrics',
  rest: 'The rest',
} as const;

export type Section = keyof typeof sections;

/** One change, what it is, and what the deploy does with it. */
export interface Finding {
  readonly environment: string;
  readonly stack: string;
  /** Of the resource; the stack's own name where the stack itself changes. */
  readonly logicalId: string;
  readonly resourceType: string;
  /** Path of the construct within its stack, or the logical id where the template does not say. */
  readonly name: string;
  readonly section: Section;
  readonly impact: Impact;
  /** What changes, with the values before and after. */
  readonly what: string;
  /** What will happen at deploy, and what to do about it. */
  readonly atDeploy: string;
  /** Logical id of the resource whose replacement is the only cause. */
  readonly follows?: string;
  /** Why the change itself says that this is meant. */
  readonly acknowledged?: string;
}

/** What a judge says of a change; the engine adds where it is. */
export type Judgement = Pick<Finding, 'section' | 'impact' | 'what' | 'atDeploy'>;

/** True for what the change itself must acknowledge. */
export function isRisk(impact: Impact): boolean {
  return impacts.indexOf(impact) <= impacts.indexOf('deploy fails');
}

/** The worst of them; undefined for none. */
export function worstImpact(all: readonly Impact[]): Impact | undefined {
  return impacts.find((impact) => all.includes(impact));
}
