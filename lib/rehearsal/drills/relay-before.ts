import type { PostgresServer } from '../engines/postgres-server';
import { Relay } from '../network/relay';
import type { DrillScene } from './drill';
import { commandConsole } from './pooler-console';

/** Of the pooler's server connections to the relay. */
const longestMoveSeconds = 20;

/** Moves a server's name to a relay before it, and waits until the pooler has moved too. */
export async function standRelayBefore(server: PostgresServer, { tier, connections, ledger, mark, defer, wait }: DrillScene): Promise<Relay> {
  const { addresses, resolver } = tier.site;
  const relay = await Relay.start({ address: addresses.next(), port: server.port }, server);
  defer('relay', () => relay.stop());
  defer('the name of the server', () => resolver.set(server.hostName, server.address));
  resolver.set(server.hostName, relay.address);
  await wait(1.5); // the name is kept for a second
  const { user } = connections.readWrite;
  // A server connection stays where it is until somebody asks for another.
  for (let task = 0; task < tier.pooler.tasks.length; task++) await commandConsole(connections.consoleOf(task), 'RECONNECT');
  const startedAt = ledger.seconds;
  for (;;) {
    const [row] = await server.query<{ count: number }>('SELECT count(*)::int AS count FROM pg_stat_activity WHERE usename = $1', [user]);
    if (relay.connections > 0 && relay.connections >= row!.count) break;
    if (ledger.seconds - startedAt > longestMoveSeconds) throw new Error(`after ${longestMoveSeconds} s, ${relay.connections} of ${row!.count} server connections go through the relay`);
    await wait(0.2);
  }
  mark('note', 'every server connection goes through the relay');
  return relay;
}
