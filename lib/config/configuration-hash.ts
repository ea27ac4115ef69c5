import { createHash } from 'node:crypto';

import type { ResolvedTierConfig } from './resolve-config';

/** Changes with any part of an environment's configuration, and with nothing else. */
export function configurationHash(config: ResolvedTierConfig): string {
  return createHash('sha256').update(JSON.stringify(config)).digest('hex').slice(0, 16);
}
