import { createServer, connect, type Server } from 'node:net';
import { Resolver as DnsClient } from 'node:dns/promises';

import { Balancer } from '../../../lib/rehearsal/network/balancer';
import { LoopbackAddresses } from '../../../lib/rehearsal/network/loopback-addresses';
import { Resolver } from '../../../lib/rehearsal/network/resolver';

const hosts = ['127.36.1.10', '127.36.1.11', '127.36.1.12', '127.36.1.13'];
const tasks = ['127.36.1.1', '127.36.1.2'];
const port = 6432;
let servers: Server[];

/** Each task says who it is, and waits. */
beforeAll(async () => {
  servers = await Promise.all(
    tasks.map(
      (address) =>
        new Promise<Server>((resolve) => {
          const server = createServer((socket) => {
            socket.on('error', () => undefined);
            socket.write(address);
          });
          server.listen(port, address, () => resolve(server));
        }),
    ),
  );
});
afterAll(() => servers.forEach((server) => server.close()));

function askThrough(host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    socket.once('error', reject);
    socket.once('data', (data) => {
      socket.destroy();
      resolve(data.toString());
    });
  });
}

const targets = tasks.map((address) => `${address}:${port}`);

async function withBalancer(sticky: boolean, use: (balancer: Balancer) => Promise<void>): Promise<void> {
  const balancer = await Balancer.start({ addresses: hosts, port, targets, sticky, idleTimeoutSeconds: 350, maxSessions: 100 });
  try {
    await use(balancer);
  } finally {
    await balancer.stop();
  }
}

describe('the balancer', () => {
  it('keeps an application host at one task and shares the hosts out', async () => {
    await withBalancer(true, async () => {
      const seen = new Set<string>();
      for (const host of hosts) {
        const answers = new Set([await askThrough(host), await askThrough(host), await askThrough(host)]);
        expect(answers.size).toBe(1);
        answers.forEach((answer) => seen.add(answer));
      }
      expect([...seen].sort()).toEqual(tasks);
    });
  });

  it('shares the connections of one host out when it need not be sticky', async () => {
    await withBalancer(false, async () => {
      expect([await askThrough(hosts[0]!), await askThrough(hosts[0]!)].sort()).toEqual(tasks);
    });
  });
});

describe('the targets of a running balancer', () => {
  it('are added and removed under connections that stay', async () => {
    const balancer = await Balancer.start({ addresses: hosts, port, targets: [targets[0]!], sticky: true, idleTimeoutSeconds: 350, maxSessions: 100 });
    try {
      const staying = connect({ host: hosts[0]!, port });
      const closed = new Promise<string>((resolve) => staying.once('close', () => resolve('closed')));
      await new Promise((resolve) => staying.once('data', resolve));
      await balancer.register(targets[1]!);
      expect(await askThrough(hosts[0]!)).toBe(tasks[0]); // it sticks
      await balancer.deregister(targets[0]!);
      for (const host of hosts) expect(await askThrough(host)).toBe(tasks[1]);
      expect(await Promise.race([closed, new Promise((resolve) => setTimeout(() => resolve('open'), 500))])).toBe('open');
      staying.destroy();
    } finally {
      await balancer.stop();
    }
  });

  it('are refused with what haproxy says', async () => {
    await withBalancer(true, async (balancer) => {
      await expect(balancer.register(targets[0]!)).rejects.toThrow(/haproxy refused "add server balancer\/127\.36\.1\.1:6432.*Already exists/s);
    });
  });
});

describe('the resolver', () => {
  it('knows the names of the site, and moves one at once', async () => {
    const resolver = await Resolver.start('127.36.1.20', 5353);
    try {
      const client = new DnsClient();
      client.setServers(['127.36.1.20:5353']);
      resolver.set('Primary.internal', '127.0.0.5');
      expect(await client.resolve4('primary.internal')).toEqual(['127.0.0.5']);
      resolver.set('primary.internal', '127.0.0.6');
      expect(await client.resolve4('primary.internal')).toEqual(['127.0.0.6']);
      await expect(client.resolve4('nobody.internal')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    } finally {
      await resolver.stop();
    }
  });
});

describe('loopback addresses', () => {
  it('are not shared by two rehearsals at once', async () => {
    const [one, two] = [await LoopbackAddresses.reserve(), await LoopbackAddresses.reserve()];
    const [first, second] = [one.next(), two.next()];
    expect(first.split('.').slice(0, 3)).not.toEqual(second.split('.').slice(0, 3));
    await Promise.all([one.release(), two.release()]);
  });
});
