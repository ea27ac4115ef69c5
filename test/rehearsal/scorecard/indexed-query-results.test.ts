import { readPlan } from '../../../lib/rehearsal/scorecard/indexed-query-results';

const query = { index: 'idx_users_email' };

describe('the plan of a query', () => {
  it.each([
    'Index Scan using idx_users_email on users (actual rows=1 loops=1)',
    'Index Scan Backward using idx_users_email on users (actual rows=1 loops=1)',
    'Bitmap Index Scan on idx_users_email (actual rows=200 loops=1)',
  ])('uses the index where it says "%s"', (node) => {
    expect(readPlan(query, ['Limit (actual rows=1 loops=1)', `  ->  ${node}`])).toEqual({ used: true, text: node });
  });

  it.each([
    'Seq Scan on users (actual rows=1 loops=1)',
    'Index Scan using idx_users_email_lower on users (actual rows=1 loops=1)',
    'Index Scan using idx_users_email on users (never executed)',
  ])('does not where it says "%s", and is shown whole', (node) => {
    expect(readPlan(query, [node, '  Filter: (x = 1)'])).toEqual({ used: false, text: `${node}\n  Filter: (x = 1)` });
  });
});
