/**
 * How a task comes. It first makes sure that the primary can be reached as PgBouncer will reach it, name, certificate
 * and all; if it cannot, it ends and says why, and a deployment that would not work never replaces one that does. The
 * replicas are not asked for: without them writes go on, and the smoke check of a deploy reads from them.
 */
export const taskStart = {
  /** Tasks that come during a failover, one to two minutes, are few: ECS starts the next one. */
  databaseWaitSeconds: 30,
  /** Until then a failed health check does not count; a check that succeeded ends it. */
  healthCheckStartPeriodSeconds: 40,
  /** Until then ECS does not act on checks; a little more than the two checks of the balancer take after the wait. */
  healthCheckGracePeriodSeconds: 60,
} as const;
