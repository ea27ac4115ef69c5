import type { TierConfig } from './tier-config';

/** The environment with at least so many read replicas behind the read-only alias, further ones like its primary. */
export function withReadReplicas(config: TierConfig, count: number): TierConfig {
  const inUse = Object.values(config.replicas).filter(({ retiring }) => !retiring).length;
  const further = Array.from({ length: Math.max(0, count - inUse) }, (_, index) => [`further-${index + 1}`, {}] as const);
  return { ...config, replicas: { ...config.replicas, ...Object.fromEntries(further) } };
}
