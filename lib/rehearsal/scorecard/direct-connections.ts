import { Client } from 'pg';

import { clientConfig } from '../load/client-config';
import type { LoadTarget } from '../load/pgbench';
import type { DirectFigure } from '../report/report';

const openedAtOnce = 20;

/** Opens sessions at the database itself, without the pooler, until it refuses one. */
export async function fillDirectly(target: LoadTarget, wanted: number, signal: AbortSignal): Promise<DirectFigure> {
  const open: Client[] = [];
  const config = clientConfig(target);
  try {
    while (open.length < wanted) {
      signal.throwIfAborted();
      const batch = Array.from({ length: Math.min(openedAtOnce, wanted - open.length) }, () => new Client(config));
      for (const client of batch) client.on('error', () => undefined);
      const outcomes = await Promise.allSettled(batch.map((client) => client.connect()));
      open.push(...batch.filter((_, index) => outcomes[index]!.status === 'fulfilled'));
      const refusal = outcomes.find(({ status }) => status === 'rejected');
      if (refusal) return { measured: open.length, detail: `the next is refused: ${((refusal as PromiseRejectedResult).reason as Error).message}` };
    }
    return { measured: open.length };
  } finally {
    await Promise.all(open.map((client) => client.end()));
  }
}
