import type { TierUnderRehearsal } from '../deployment/tier-under-rehearsal';
import type { PostgresServer } from '../engines/postgres-server';
import type { Drill, DrillScene, OtherClients } from './drill';
import type { FigureDefinition } from './expectations';
import { commandConsole, connectTo } from './pooler-console';
import { standRelayBefore } from './relay-before';
import { startReaders } from './replica-drills';

const replicas = 2;
/** So long one of them stays away, once every reader reads again. */
const awaySeconds = 6;

/** @param limits what a reader may see of it */
function readerFigures(limits: { readonly errors: number; readonly recoverySeconds: number; readonly silenceSeconds: number }): readonly FigureDefinition[] {
  return [
    { name: 'reader-errors', title: "errors of any reader with the kit's retry", unit: '', limit: { comparison: '≤', value: limits.errors } },
    { name: 'reader-recovery', title: 'until every reader reads again', unit: 's', limit: { comparison: '≤', value: limits.recoverySeconds } },
    { name: 'reader-silence', title: 'silence of any reader', unit: 's', limit: { comparison: '≤', value: limits.silenceSeconds } },
    { name: 'later-errors', title: 'errors of readers after that, while it is away', unit: '', limit: { comparison: '=', value: 0 } },
    { name: 'used-again', title: 'replicas that are read from once it is back', unit: '', limit: { comparison: '=', value: replicas } },
  ];
}

interface ReplicaLoss extends Pick<Drill, 'name' | 'title' | 'why'> {
  readonly figures: readonly FigureDefinition[];
  readonly fault: string;
  /** @returns how the replica comes back */
  readonly lose: (server: PostgresServer, scene: DrillScene) => Promise<() => Promise<void>>;
  readonly back: string;
}

/** One replica is lost under readers, stays away for a while, and comes back. */
function oneReplicaLost({ fault, lose, back, ...drill }: ReplicaLoss): Drill {
  return {
    ...drill,
    readReplicas: replicas,
    expectations: { errors: 0, longestSilenceSeconds: 3 },
    lacks: tooFewReplicas,
    async run(scene) {
      const { server } = scene.tier.databases.replicas[0]!;
      const readers = startReaders(scene);
      await scene.wait(1);
      const giveBack = await lose(server, scene);
      scene.mark('fault', fault);
      await readOn(scene, readers);
      await giveBack();
      scene.mark('note', back);
      await countReplicasInUse(scene);
    },
  };
}

export const replicaKilled = oneReplicaLost({
  name: 'replica-killed',
  title: 'One of two read replicas killed',
  figures: readerFigures({ errors: 1, recoverySeconds: 2, silenceSeconds: 3 }),
  why: 'who was reading from it is told once; all others go on at the other one, since a new server connection that is refused is tried there a second later (server_login_retry). When it is back, the pooler uses it for new server connections: at once after RECONNECT, else within an hour (server_lifetime)',
  fault: 'one replica is killed',
  async lose(server, { defer }) {
    let launched = false;
    defer('the replica', async () => {
      if (!launched) await server.launch();
    });
    await server.halt('immediate');
    return async () => {
      await server.launch();
      launched = true;
    };
  },
  back: 'it is back',
});

export const replicaBlackHole = oneReplicaLost({
  name: 'replica-black-hole',
  title: 'One of two read replicas in a black hole',
  figures: readerFigures({ errors: 1, recoverySeconds: 6, silenceSeconds: 10 }),
  why: 'who was reading from it waits until what was sent is given up after 5 s without an acknowledgement (tcp_user_timeout); a new server connection to it is given up after 3 s (server_connect_timeout) and tried at the other one, while the server connections that are there serve everybody',
  fault: 'packets to one replica vanish',
  async lose(server, scene) {
    const relay = await standRelayBefore(server, scene);
    await relay.becomeBlackHole();
    return async () => {
      scene.tier.site.resolver.set(server.hostName, server.address);
      await scene.wait(1.5); // the name is kept for a second
    };
  },
  back: 'it can be reached again',
});

/** What readers see from the fault on, and once all of them read again. */
async function readOn({ measure, wait }: DrillScene, { ledger, recovered }: OtherClients): Promise<void> {
  const recoverySeconds = await recovered();
  if (recoverySeconds === null) return; // not measured: not as expected
  measure('reader-recovery', recoverySeconds);
  const before = ledger.errors.length;
  await wait(awaySeconds);
  measure('later-errors', ledger.errors.length - before);
  measure('reader-errors', ledger.mostVisibleErrorsOfAClient);
  measure('reader-silence', ledger.longestSilenceSeconds);
}

/** After the pooler has been told to connect anew. */
async function countReplicasInUse({ tier, connections, measure, wait }: DrillScene): Promise<void> {
  const { database } = connections.readOnly;
  const mostSeconds = 10;
  const servers = new Set<string>();
  for (let waited = 0; waited < mostSeconds && servers.size < replicas; waited++) {
    for (let task = 0; task < tier.pooler.tasks.length; task++) await commandConsole(connections.consoleOf(task), `RECONNECT ${database}`);
    await wait(1);
    for (const server of await serversOfReaders(connections)) servers.add(server);
  }
  measure('used-again', servers.size);
}

/** Addresses of the servers that answer clients of the read-only alias who ask at once. */
async function serversOfReaders({ readOnly }: DrillScene['connections']): Promise<readonly string[]> {
  const sessions = await Promise.all([...readOnly.addresses, ...readOnly.addresses].map((address) => connectTo({ ...readOnly, addresses: [address] })));
  try {
    // Each holds its server connection for a moment, so that the others get another one.
    const answers = await Promise.all(sessions.map((session) => session.query<{ address: string }>('SELECT host(inet_server_addr()) AS address, pg_sleep(0.2)')));
    return answers.map(({ rows }) => rows[0]!.address);
  } finally {
    await Promise.all(sessions.map((session) => session.end()));
  }
}

function tooFewReplicas({ databases }: TierUnderRehearsal): string | undefined {
  const { length } = databases.replicas;
  return length >= replicas ? undefined : `it has ${length === 1 ? 'one read replica' : `${length} read replicas`}, and ${replicas} are needed; leave --assembly out, or configure another one`;
}
