import { renderPostgresqlConf } from '../../../lib/rehearsal/engines/postgres-conf';

describe('a postgresql.conf', () => {
  it('quotes each value', () => {
    expect(renderPostgresqlConf({ work_mem: '4MB', log_line_prefix: "%m 'it's' \\ %u\n" })).toBe(
      "work_mem = '4MB'\nlog_line_prefix = '%m ''it''s'' \\\\ %u\\n'\n",
    );
  });
});
