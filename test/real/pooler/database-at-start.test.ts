import { existsSync } from 'node:fs';
import { createServer } from 'node:net';

import { poolerEnvironment } from '../../../lib/tier/pooler/pooler.contract';
import { PooledDatabases } from './pooled-databases';
import { PoolerProcess } from './pooler-process';

const address = '127.33.61.3';
const { waitSeconds, serverTlsCaFile, lookup } = poolerEnvironment;

let databases: PooledDatabases;
beforeAll(async () => {
  databases = await PooledDatabases.start('127.33.61', { replica: false });
  databases.resolver.set('impostor.internal', databases.primary.address);
  databases.resolver.set('vanished.internal', '127.33.61.99');
});
afterAll(() => databases?.stop());

describe('a task whose database cannot be reached says why in one line and ends', () => {
  const at = (host: string): Readonly<Record<string, string>> => ({ PGBOUNCER_DATABASE_BOOKEDBARBER: `host=${host} port=5432 dbname=bookedbarber` });

  it.each<[string, () => Readonly<Record<string, string>>, RegExp]>([
    ['nobody listens', () => at('vanished.internal'), /vanished\.internal:5432: Connection refused/],
    ['its name is unknown', () => at('nowhere.internal'), /nowhere\.internal:5432: its name cannot be resolved/],
    ['the system does not know its name', () => ({ ...at('nowhere.invalid'), [lookup]: '' }), /nowhere\.invalid:5432: (Name or service not known|Temporary failure in name resolution)/],
    ['somebody else signed its certificate', () => ({ [serverTlsCaFile]: databases.otherCaFile }), /primary\.internal:5432: its certificate is refused, .*certificate/],
    ['its certificate is another’s', () => at('impostor.internal'), /impostor\.internal:5432: its certificate is refused, hostname mismatch/],
    ['none of several answers', () => at('vanished.internal,nowhere.internal'), /vanished\.internal:5432: Connection refused;nowhere\.internal:5432: its name cannot be resolved/],
  ])('%s', async (_title, change, reason) => {
    const pooler = await PoolerProcess.launch(address, { ...databases.environment(), ...change(), [waitSeconds]: '0' });
    try {
      expect(await pooler.exitCode).toBe(1);
      expect(pooler.log).toMatch(/^entrypoint: bookedbarber cannot be reached, tried for 0 s: .*; correct PGBOUNCER_DATABASE_BOOKEDBARBER, or let the task reach what it names$/);
      expect(pooler.log).toMatch(reason);
    } finally {
      await pooler.stop();
    }
  });
});

it('a task waits for its database, and lets nobody in before', async () => {
  // Somebody who hangs up at once stands there meanwhile, and tells that the task has asked twice.
  const elsewhere = createServer((socket) => socket.destroy());
  const askedTwice = new Promise<void>((resolve) => {
    let asked = 0;
    elsewhere.on('connection', () => (asked += 1) === 2 && resolve());
  });
  await new Promise<void>((resolve) => elsewhere.listen(5432, '127.33.61.98', resolve));
  databases.resolver.set('primary.internal', '127.33.61.98');
  const pooler = await PoolerProcess.launch(address, databases.environment());
  try {
    await askedTwice;
    await expect(pooler.checkHealth()).rejects.toThrow(/Connection refused/);
    databases.resolver.set('primary.internal', databases.primary.address);
    while (!(await pooler.checkHealth().catch(() => undefined))) await soon();
    expect(pooler.log).toMatch(/process up/);
  } finally {
    elsewhere.close();
    await pooler.stop();
  }
});

it('a task comes without the replicas, so that writes survive them', async () => {
  const pooler = await PoolerProcess.start(address, databases.environment({}, ['vanished.internal']));
  await expect(pooler.checkHealth()).resolves.toBeDefined();
  await pooler.stop();
});

it('a look at the database is nothing that its log would complain of', async () => {
  const session = await databases.primary.superuser();
  /** What the server has logged up to now, since it was marked first. */
  const logged = async (mark: string): Promise<readonly string[]> => {
    await session.query(`DO $$ BEGIN RAISE LOG '${mark}'; END $$`);
    while (!databases.primary.logTail(200).includes(mark)) await soon();
    return databases.primary.logTail(200).split('first mark').at(-1)!.split('\n');
  };
  try {
    await logged('first mark');
    const pooler = await PoolerProcess.start(address, databases.environment());
    await pooler.stop();
    const looks = (await logged('it has looked')).flatMap((line) => /\[(\d+)\] LOG: +connection received/.exec(line)?.[1] ?? []);
    expect(looks).not.toEqual([]);
    while (looks.some((pid) => existsSync(`/proc/${pid}`))) await soon();
    const ofLooks = (await logged('its sessions have ended')).filter((line) => looks.some((pid) => line.includes(`[${pid}]`)));
    expect(ofLooks.filter((line) => !line.includes('connection received'))).toEqual([]);
  } finally {
    await session.end();
  }
});

function soon(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
