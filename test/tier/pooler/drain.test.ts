import { environments } from '../../../lib/config/environments';
import { resolveConfig } from '../../../lib/config/resolve-config';
import { drain, drainProblems } from '../../../lib/tier/pooler/drain';

it('a drain ends before Fargate kills', () => {
  expect(drain.drainSeconds + drain.finishSeconds).toBeLessThan(drain.stopTimeoutSeconds);
});

it('a transaction_timeout is refused when the drain would cut the transaction, or when there is none', () => {
  expect(drainProblems(65_000)).toEqual([]);
  expect(drainProblems(65_001)).toEqual([
    "a transaction_timeout of 65001 ms lets a transaction outlive the pooler's drain, which would cut its commit; set it to 65000 ms or less",
  ]);
  expect(drainProblems(0)).toEqual([
    "a transaction_timeout of 0 (no limit) lets a transaction outlive the pooler's drain, which would cut its commit; set it to 65000 ms or less",
  ]);
});

it.each(Object.entries(environments))('the transactions of %s end within the drain', (name, config) => {
  expect(drainProblems(resolveConfig(name, config).roles.applicationTransactionTimeoutMs)).toEqual([]);
});
