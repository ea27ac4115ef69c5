import { workersPerBuild } from '../../../lib/tier/indexes/index-workers';

it.each([
  [2, 2, 0],
  [4, 2, 0],
  [8, 2, 1],
  [16, 2, 2],
  [64, 2, 2],
  [4, 1, 1],
  [8, 4, 0],
])('%i vCPUs and %i tables at once leave %i workers for each build', (vCpus, tablesAtOnce, workers) => {
  expect(workersPerBuild(vCpus, tablesAtOnce)).toBe(workers);
});
