import type { TierUnderRehearsal } from '../deployment/tier-under-rehearsal';
import type { Drill } from './drill';
import { standRelayBefore } from './relay-before';

/** How long the primary is unreachable before its name moves; RDS takes a minute or two. */
const secondsInTheDark = 3;

export const primaryRestart: Drill = {
  name: 'primary-restart',
  title: 'Primary restarted',
  expectations: { mostInterruptionsOfAClient: 1, mostVisibleErrorsOfAClient: 1, recoverySeconds: 2 },
  why: "the pooler keeps its clients and tries the primary every second (server_login_retry). A client is told once, if its transaction was under way. Who comes before the pooler has found that out waits; who comes later, until the primary is back, is refused at once, before a transaction begins: each time without a retry, and not at all with the kit's",
  async run({ tier, mark }) {
    const { server } = tier.databases.primary;
    mark('fault', 'primary shuts down');
    await server.halt('fast');
    await server.launch();
    mark('repair', 'primary is back');
  },
};

export const primaryCrash: Drill = {
  name: 'primary-crash',
  title: 'Primary crashed, standby promoted, name moved',
  expectations: { recoverySeconds: 6, longestSilenceSeconds: 10 },
  why: "every commit waits for the standby, so none that was acknowledged is lost; the pooler asks for the primary's name every second (dns_max_ttl). RDS's own detection, a minute or two, comes on top",
  breaksTheTier: true,
  lacks: noStandby,
  async run({ tier, mark }) {
    mark('fault', 'primary crashes');
    await tier.databases.primary.server.halt('immediate');
    await tier.databases.failOver(() => mark('note', 'standby is promoted'));
    mark('repair', 'name moves to the standby');
  },
};

export const primaryBlackHole: Drill = {
  name: 'primary-black-hole',
  title: 'Primary in a black hole, name moved',
  expectations: { recoverySeconds: 6, longestSilenceSeconds: 10 },
  why: 'nothing tells the pooler that the host is gone: what was sent to it is given up after 5 s without an acknowledgement (tcp_user_timeout), a new connection after 3 s (server_connect_timeout), and the name is asked for every second',
  async run(scene) {
    const { tier, mark, wait } = scene;
    const { server } = tier.databases.primary;
    const relay = await standRelayBefore(server, scene);
    await relay.becomeBlackHole();
    mark('fault', 'packets to the primary vanish');
    await wait(secondsInTheDark);
    tier.site.resolver.set(server.hostName, server.address);
    mark('repair', 'name moves to an address that answers');
  },
};

function noStandby({ databases }: TierUnderRehearsal): string | undefined {
  return databases.hasStandby ? undefined : `${databases.primary.identifier} is not Multi-AZ`;
}
