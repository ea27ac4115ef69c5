import { connect, createServer, type Server, type Socket } from 'node:net';

import { Relay } from '../../../lib/rehearsal/network/relay';

const target = { address: '127.36.2.1', port: 5432 };
const place = { address: '127.36.2.2', port: 5432 };
let echo: Server;
let relay: Relay;

beforeAll(async () => {
  echo = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
  await new Promise<void>((resolve) => echo.listen(target.port, target.address, resolve));
  relay = await Relay.start(place, target);
});
afterAll(async () => {
  await relay.stop();
  echo.close();
});

function open(): Socket {
  return connect({ host: place.address, port: place.port }).on('error', () => undefined);
}

function happens(socket: Socket, event: string, withinMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), withinMs);
    socket.once(event, () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

describe('a relay', () => {
  it('carries bytes both ways, until it becomes a black hole that answers nobody, new connections neither', async () => {
    const socket = open();
    socket.write('before');
    expect(await happens(socket, 'data', 5000)).toBe(true);
    expect(relay.connections).toBe(1);

    await relay.becomeBlackHole();
    socket.write('after');
    const late = open();
    expect(await Promise.all([happens(socket, 'data', 500), happens(socket, 'close', 500), happens(late, 'connect', 500)])).toEqual([false, false, false]);
    socket.destroy();
    late.destroy();
  });
});
