import { createServer } from 'node:net';

import { assertPortsFree } from '../../../lib/rehearsal/network/ports-in-use';

it('ports on which somebody listens are named, all of them, with how to find out who', async () => {
  const servers = [createServer(), createServer()];
  await Promise.all(servers.map((server, position) => new Promise<void>((resolve) => server.listen(7432 + position, '127.33.90.1', resolve))));
  try {
    await expect(assertPortsFree('127.33.90.1', [7431, 7432, 7433])).rejects.toThrow(
      /^127\.33\.90\.1:7432 and 127\.33\.90\.1:7433 are in use by another program.* ss -ltnp 'sport = :7432 or sport = :7433'$/,
    );
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
  await assertPortsFree('127.33.90.1', [7431, 7432, 7433]);
});
