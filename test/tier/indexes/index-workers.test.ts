import { coresForBuilds, workersOfBuild } from '../../../lib/tier/indexes/index-workers';

it.each([
  [2, 2, 2],
  [2, 1, 1],
  [4, 2, 2],
  [8, 2, 4],
  [64, 2, 32],
  [4, 4, 4],
])('of %i vCPUs, builds on %i tables at once keep %i busy', (vCpus, tablesAtOnce, cores) => {
  expect(coresForBuilds(vCpus, tablesAtOnce)).toBe(cores);
});

it.each([
  [2, 2, 0],
  [2, 1, 1],
  [4, 2, 1],
  [4, 3, 0],
  [8, 2, 2],
  [32, 1, 2],
  [1, 1, 0],
  [1, 2, 0],
])('%i cores for builds on %i tables leave %i workers for each', (cores, tables, workers) => {
  expect(workersOfBuild(cores, tables)).toBe(workers);
});
