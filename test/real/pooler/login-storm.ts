import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect } from 'node:tls';

/** https://www.postgresql.org/docs/17/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-SSLREQUEST */
const sslRequest = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

export interface LoginStorm {
  /** All begin their TLS handshake. */
  readonly begin: () => void;
  readonly end: () => void;
}

/** Clients that have been promised TLS. What they then send costs them nothing, and the pooler a signature each. */
export async function prepareLoginStorm(host: string, clients: number): Promise<LoginStorm> {
  const hello = await clientHello();
  const sockets = await Promise.all(Array.from({ length: clients }, () => promisedTls(host)));
  return {
    begin: () => sockets.forEach((socket) => socket.write(hello)),
    end: () => sockets.forEach((socket) => socket.destroy()),
  };
}

async function promisedTls(host: string): Promise<Socket> {
  const socket = createConnection({ host, port: 6432 }, () => socket.write(sslRequest));
  await once(socket, 'data');
  socket.on('error', () => undefined); // the pooler may end it
  return socket;
}

/** The first message of a handshake, as Node.js writes it. */
async function clientHello(): Promise<Buffer> {
  return new Promise((resolve) => {
    const wire = new Duplex({ read: () => undefined, write: (chunk: Buffer) => resolve(chunk) });
    connect({ socket: wire }).on('error', () => undefined);
  });
}
