import type { Drill } from './drill';
import { cancelThroughBalancer, clientFlood, idleInTransaction, silentConnections, stalledHandshakes } from './client-drills';
import { loginStorm } from './login-storm-drill';
import { indexBuildBlocked, indexBuildKilled } from './index-drills';
import { poolerFrozen, poolerKilled, poolerRollingReplacement } from './pooler-drills';
import { primaryBlackHole, primaryCrash, primaryRestart } from './primary-drills';
import { replicaBlackHole, replicaKilled } from './one-of-two-replicas-drills';
import { replicaLagging, replicaPromoted, replicaStopped } from './replica-drills';
import { secretRotation } from './rotation-drill';

/** Every drill, in the order in which they are run: those that break the tier last. */
export const drills: readonly Drill[] = [
  cancelThroughBalancer,
  clientFlood,
  stalledHandshakes,
  silentConnections,
  loginStorm,
  idleInTransaction,
  poolerKilled,
  poolerFrozen,
  poolerRollingReplacement,
  secretRotation,
  primaryRestart,
  primaryBlackHole,
  replicaStopped,
  replicaLagging,
  indexBuildKilled,
  indexBuildBlocked,
  replicaKilled,
  replicaBlackHole,
  primaryCrash,
  replicaPromoted,
];

/**
 * Finds drills by their names; `all` is every one.
 *
 * @throws Error that tells every name that is unknown, and those that there are
 */
export function findDrills(names: readonly string[]): readonly Drill[] {
  const known = drills.map(({ name }) => name);
  const unknown = names.filter((name) => name !== 'all' && !known.includes(name));
  if (unknown.length > 0) {
    throw new Error(`there is no drill ${unknown.map((name) => `"${name}"`).join(', ')}; there are all, ${known.join(', ')}`);
  }
  return names.includes('all') ? drills : drills.filter(({ name }) => names.includes(name));
}
