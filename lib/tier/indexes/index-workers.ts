/** PostgreSQL's own default; more help an index build little. https://www.postgresql.org/docs/17/runtime-config-resource.html#GUC-MAX-PARALLEL-MAINTENANCE-WORKERS */
const mostWorkers = 2;

/** Parallel workers of each build, so that those side by side take half of the cores at most; one core for each is the least. */
export function workersPerBuild(vCpus: number, tablesAtOnce: number): number {
  const coresPerBuild = Math.floor(vCpus / 2 / tablesAtOnce);
  return Math.min(mostWorkers, Math.max(0, coresPerBuild - 1));
}
