import type { IndexSummary } from './indexes.contract';

/** CloudFormation takes 4,096 bytes in all, and the framework adds some of its own. */
const mostBytesOfList = 450;
const mostBytesOfReason = 3000;

/** The summary as attributes of the custom resource; the log has it whole. */
export function summaryData(summary: IndexSummary, pendingReboots: readonly string[]): Readonly<Record<string, string>> {
  const { valid, building, waiting, deferred, failed, drifted } = summary;
  return {
    Valid: `${valid.length}`,
    Building: shortList(building, mostBytesOfList),
    Waiting: shortList(waiting, mostBytesOfList),
    Deferred: shortList(deferred, mostBytesOfList),
    Failed: shortList(failed, mostBytesOfList),
    Drifted: shortList(drifted, mostBytesOfList),
    PendingReboots: shortList(pendingReboots, mostBytesOfList),
  };
}

/** Problems as the reason of a failure, as many as CloudFormation shows. */
export function failureReason(title: string, problems: readonly string[]): string {
  return `${title}: ${shortList(problems, mostBytesOfReason)}`;
}

/** As many whole lines as fit; the first is cut if it alone does not. */
function shortList(lines: readonly string[], mostBytes: number): string {
  const [first, ...others] = lines;
  if (first === undefined) return '';
  const more = (left: number): string => (left > 0 ? `; and ${left} more, see the log` : '');
  let text = cut(first, mostBytes);
  for (const [position, line] of others.entries()) {
    const longer = `${text}; ${line}`;
    if (Buffer.byteLength(longer) > mostBytes) return text + more(others.length - position);
    text = longer;
  }
  return text;
}

function cut(text: string, mostBytes: number): string {
  if (Buffer.byteLength(text) <= mostBytes) return text;
  const [whole = ''] = new TextDecoder().decode(Buffer.from(text).subarray(0, mostBytes - 3)).split('\uFFFD');
  return `${whole}…`;
}
