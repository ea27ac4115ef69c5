/** What a figure must reach. */
export interface Goal {
  readonly what: string;
  readonly measured: number;
  readonly limit: { readonly least: number } | { readonly most: number };
  /** Whether other programs on the machine change it. */
  readonly isTimed: boolean;
}

export type GoalVerdict = 'reached' | 'missed' | 'unclear';

/** @param disturbed other programs ran: what depends on time says nothing then, neither good nor bad */
export function goalVerdict({ measured, limit, isTimed }: Goal, disturbed: boolean): GoalVerdict {
  if (disturbed && isTimed) return 'unclear';
  return ('least' in limit ? measured >= limit.least : measured <= limit.most) ? 'reached' : 'missed';
}

/** One goal a line, its verdict first. */
export function renderGoals(goals: readonly Goal[], disturbed: boolean): string {
  return goals.map((goal) => `${goalVerdict(goal, disturbed).padEnd('reached'.length)}  ${goal.what}: ${Number(goal.measured.toPrecision(4))} (${limitText(goal.limit)})`).join('\n');
}

export function limitText(limit: Goal['limit']): string {
  return 'least' in limit ? `at least ${limit.least}` : `at most ${limit.most}`;
}
