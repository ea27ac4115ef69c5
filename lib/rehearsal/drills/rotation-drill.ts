import { setTimeout as sleep } from 'node:timers/promises';

import type { Drill, DrillScene } from './drill';
import { connectTo } from './pooler-console';

/** So that log-ins were tried through the whole of the rotation. */
const fewestLogins = 50;
const pauseMs = 50;
const settleSeconds = 2;

export const secretRotation: Drill = {
  name: 'secret-rotation',
  title: "The application's password rotated",
  clients: { count: 24, pauseMs: 20 },
  expectations: { unknownOutcomes: 0, errorsAfterFirstStatement: 0, visibleErrors: 0, longestSilenceSeconds: 5 },
  figures: [
    { name: 'logins', title: 'log-ins with what the secret held at that moment', unit: '', limit: { comparison: '≥', value: fewestLogins } },
    { name: 'failed', title: 'of those, failed', unit: '', limit: { comparison: '=', value: 0 } },
    { name: 'turned', title: 'secret names the other user afterwards', unit: '', limit: { comparison: '=', value: 1 } },
    { name: 'former', title: 'log-ins as the former user afterwards', unit: '', limit: { comparison: '=', value: 1 } },
  ],
  why: 'two users take turns: the other one gets its new password, every task is replaced and tried with it, and only then does the secret name it, while the former user stays valid until the next rotation',
  async run({ tier, connections, mark, measure, wait }) {
    for (const note of tier.pooler.scaled) mark('note', note);
    const former = connections.readWrite;
    const logins = { count: 0, failed: 0 };
    let rotating = true;
    const login = async (): Promise<void> => {
      const { addresses, ...current } = connections.readWrite;
      const address = addresses[logins.count++ % addresses.length]!;
      await connectTo({ ...current, addresses: [address] }).then(
        (client) => client.end(),
        (error: Error) => {
          logins.failed += 1;
          mark('note', `a log-in failed: ${error.message}`);
        },
      );
    };
    const loggingIn = (async () => {
      while (rotating) {
        await login();
        await sleep(pauseMs);
      }
    })();
    mark('fault', 'the secret is rotated');
    try {
      await tier.functions.rotate(tier.parameters.value('APPLICATION_SECRET_ARN'));
      mark('repair', 'the secret names the other user');
      await wait(settleSeconds);
    } finally {
      rotating = false;
      await loggingIn;
    }
    measure('logins', logins.count);
    measure('failed', logins.failed);
    measure('turned', connections.readWrite.user === former.user ? 0 : 1);
    measure('former', await canLogIn(former));
  },
};

/** 1 if it can, 0 if not. */
async function canLogIn(target: DrillScene['connections']['readWrite']): Promise<number> {
  return connectTo(target).then(
    async (client) => {
      await client.end();
      return 1;
    },
    () => 0,
  );
}
