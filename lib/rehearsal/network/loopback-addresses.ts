import { createServer, type Server } from 'node:net';

/** Held while a rehearsal owns its block. */
const lockPort = 6431;

/**
 * A /24 of the loopback range that no other rehearsal on this machine uses, and its addresses in turn.
 */
export class LoopbackAddresses {
  private last = 1;

  private constructor(
    private readonly prefix: string,
    private readonly lock: Server,
  ) {}

  /** Takes the first block whose lock can be bound. @throws Error if none is free */
  static async reserve(): Promise<LoopbackAddresses> {
    for (let block = 1; block < 255; block++) {
      const prefix = `127.64.${block}`;
      const lock = await bind(`${prefix}.1`);
      if (lock) return new LoopbackAddresses(prefix, lock);
    }
    throw new Error(`port ${lockPort} is in use on every address from 127.64.1.1 to 127.64.254.1; are 254 rehearsals running?`);
  }

  next(): string {
    this.last += 1;
    if (this.last > 254) throw new Error(`the block ${this.prefix}.0/24 has no address left`);
    return `${this.prefix}.${this.last}`;
  }

  async release(): Promise<void> {
    await new Promise((resolve) => this.lock.close(resolve));
  }
}

async function bind(address: string): Promise<Server | undefined> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen(lockPort, address, () => resolve(server));
  });
}
