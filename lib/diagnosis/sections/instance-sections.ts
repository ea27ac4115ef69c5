import { indexSections } from './indexes';
import type { InstanceSection } from './instance-section';
import { serverSections } from './instances';
import { own } from './own-statements';
import { sessionSections } from './sessions';
import { statementSections } from './statements';
import { tableSections } from './tables';

/** What an instance is asked, every statement marked as the report's own. */
export const instanceSections: readonly InstanceSection[] = [...sessionSections, ...statementSections, ...tableSections, ...indexSections, ...serverSections].map((section) => ({
  ...section,
  sql: (server, limits) => {
    const sql = section.sql(server, limits);
    return sql === undefined ? undefined : `${own}${sql}`;
  },
}));
