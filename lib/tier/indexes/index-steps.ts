import type { Decision } from './index-decision';
import type { ObservedIndex } from './index-observation';
import { isSettled, summarize } from './index-summary';
import type { JudgedIndex, Survey } from './index-survey';
import { type AcceptedTrial, isAccepted } from './index-trial';

/** Something that may be done on a table once nothing else is done there. */
export type Step = { readonly tableOid: string } & (
  | { readonly kind: 'build'; readonly judged: JudgedIndex; readonly decision: Extract<Decision, { kind: 'build' }>; readonly trial: AcceptedTrial }
  | { readonly kind: 'swap'; readonly judged: JudgedIndex; readonly decision: Extract<Decision, { kind: 'swap' }> }
  | { readonly kind: 'drop'; readonly index: ObservedIndex; readonly why: string }
);

/**
 * Everything that a look found to do, the most urgent first.
 *
 * @param rolledBack CloudFormation went back to the catalogue: then nothing is dropped that a catalogue does not name
 */
export function stepsOf(survey: Survey, rolledBack: boolean): readonly Step[] {
  const steps = inOrder(survey.judged).flatMap(stepOf);
  if (rolledBack) return steps;
  const summary = summarize(survey);
  const succeeded = isSettled(summary) && summary.failed.length === 0;
  return [
    ...survey.abandoned.map((index) => drop(index, 'a change that was given up, or a drop that was cut short, left it INVALID')),
    ...steps,
    ...survey.retired.filter(({ problem, waitsFor }) => problem === undefined && waitsFor.length === 0).map(({ index }) => drop(index, 'retired')),
    ...(succeeded ? survey.replaced : []).map((index) => drop(index, 'replaced, and a later deploy has succeeded')),
  ];
}

function stepOf(judged: JudgedIndex): readonly Step[] {
  const { table, trial, decision } = judged;
  if (table === undefined) return [];
  if (decision.kind === 'build' && isAccepted(trial)) return [{ kind: 'build', tableOid: table.oid, judged, decision, trial }];
  if (decision.kind === 'swap') return [{ kind: 'swap', tableOid: table.oid, judged, decision }];
  if (decision.kind === 'failed' && decision.remains && !decision.remains.valid) return [drop(decision.remains, 'a build that failed left it INVALID')];
  return [];
}

function drop(index: ObservedIndex, why: string): Step {
  return { kind: 'drop', tableOid: index.tableOid, index, why };
}

/** What keeps inserts from succeeding first, what keeps other builds waiting last. */
function inOrder(judged: readonly JudgedIndex[]): readonly JudgedIndex[] {
  const rank = ({ decision, trial }: JudgedIndex): number => {
    if ((decision.kind === 'build' || decision.kind === 'failed') && decision.remains?.unique) return 0;
    return isAccepted(trial) && trial.holdsOthersBack ? 2 : 1;
  };
  return [...judged].sort((a, b) => rank(a) - rank(b));
}
