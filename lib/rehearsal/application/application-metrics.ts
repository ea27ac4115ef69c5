import { judge, type Metric, targetText } from '../load/metrics';
import type { Check } from '../report/report';

const definitions = [
  { name: 'misplaced-reads', title: 'Reads elsewhere than on a replica', comparison: '=', target: 0, unit: 'reads', definition: 'requests in a read session that the primary answered, or a replica where there is none' },
  { name: 'writes-let-through', title: 'Writes let through in a read session', comparison: '=', target: 0, unit: 'writes', definition: 'bookings in a read session that were not refused as read-only' },
  { name: 'wrong-statements', title: 'Prepared statements gone wrong', comparison: '=', target: 0, unit: 'statements', definition: '150 statements, each six times in a transaction of its own, that answered something else than what was asked' },
  { name: 'pool', title: 'Connections of its pool', comparison: '=', target: 60, unit: 'connections', definition: "that SQLAlchemy's pool of 20 + 40 gave out before it said that it had no more" },
  { name: 'load-errors', title: 'Errors under load', comparison: '=', target: 0, unit: 'errors', definition: 'requests answered by an error while nothing was wrong' },
  { name: 'replacement-errors', title: 'Errors while every pooler is replaced', comparison: '=', target: 0, unit: 'errors', definition: 'requests answered by an error during a deployment of the pooler, with the retry of the kit' },
  { name: 'restart-errors', title: 'Errors that the retry covers, primary restarted', comparison: '=', target: 0, unit: 'errors', definition: 'requests answered by an error from before the first statement of their transaction, while the primary restarted' },
  { name: 'restart-under-way', title: 'Errors of a client under way, primary restarted', comparison: '≤', target: 1, unit: 'errors', definition: 'most errors of a client after the first statement of a transaction or at COMMIT, which nobody may try again for it' },
  { name: 'not-back', title: 'Clients that did not come back', comparison: '=', target: 0, unit: 'clients', definition: 'clients that had not booked again 45 s after the primary was back' },
  { name: 'lost-writes', title: 'Acknowledged bookings lost', comparison: '=', target: 0, unit: 'bookings', definition: 'bookings that the application was told were made and that the primary does not have at the end' },
] as const satisfies readonly Metric[];

/** What is asked of each application. */
export const applicationMetrics: readonly Metric[] = definitions;

/** What one application showed. */
export function applicationCheck(name: (typeof definitions)[number]['name'], measured: number, detail?: string): Check {
  const metric = applicationMetrics.find((each) => each.name === name)!;
  return { name, title: metric.title, target: targetText(metric), measured, unit: metric.unit, verdict: judge(metric, measured), ...(detail && { detail }) };
}
