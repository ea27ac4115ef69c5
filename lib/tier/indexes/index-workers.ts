/** PostgreSQL's own default; more help an index build little. https://www.postgresql.org/docs/17/runtime-config-resource.html#GUC-MAX-PARALLEL-MAINTENANCE-WORKERS */
const mostWorkers = 2;

/** Cores of an instance that builds may keep busy together: half of them, or one for each table if that is more. */
export function coresForBuilds(vCpus: number, tablesAtOnce: number): number {
  return Math.max(tablesAtOnce, Math.floor(vCpus / 2));
}

/**
 * Parallel workers of a build beside its own session, so that all of them together take no more cores than they may.
 *
 * @param tables on which is built at the same time: the last one has all cores to itself
 */
export function workersOfBuild(cores: number, tables: number): number {
  return Math.min(mostWorkers, Math.max(0, Math.floor(cores / tables) - 1));
}
