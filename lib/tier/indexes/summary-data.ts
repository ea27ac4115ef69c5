import type { IndexSummary } from './indexes.contract';

/** CloudFormation takes 4,096 bytes in all, and the framework adds some of its own. */
const mostCharacters = 600;

/** The summary as attributes of the custom resource; the log has it whole. */
export function summaryData({ valid, building, waiting, deferred }: IndexSummary, pendingReboots: readonly string[]): Readonly<Record<string, string>> {
  return {
    Valid: `${valid.length}`,
    Building: shortList(building),
    Waiting: shortList(waiting),
    Deferred: shortList(deferred),
    PendingReboots: shortList(pendingReboots),
  };
}

function shortList(lines: readonly string[]): string {
  let text = '';
  for (const [position, line] of lines.entries()) {
    if (text.length + line.length > mostCharacters) return `${text}; and ${lines.length - position} more`;
    text = text === '' ? line : `${text}; ${line}`;
  }
  return text;
}
