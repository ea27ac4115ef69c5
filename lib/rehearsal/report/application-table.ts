import Table from 'cli-table3';

import type { ApplicationResult } from './application-result';
import { applicationRows } from './application-rows';

/** The applications beside each other, for a terminal. */
export function renderApplicationTable(results: readonly ApplicationResult[]): string {
  const head = ['application', 'target', ...results.map(({ title }) => title.replaceAll(', ', '\n'))];
  const table = new Table({ head, colAligns: ['left', ...head.slice(1).map(() => 'right' as const)], style: { head: [], border: [] } });
  for (const { title, target, cells } of applicationRows(results)) table.push([title, target, ...cells.map(({ text, missed }) => (missed ? `${text} missed` : text))]);
  return table.toString();
}
