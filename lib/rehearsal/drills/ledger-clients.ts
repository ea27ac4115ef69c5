import { Socket } from 'node:net';

import { Pool, type PoolClient } from 'pg';

import { clientConfig } from '../load/client-config';
import type { LoadTarget } from '../load/pgbench';
import type { Ledger, TransactionStage } from './ledger';

export interface LedgerClientsOptions {
  readonly target: LoadTarget;
  /** Shared out to the target's addresses in turn, one application host each. */
  readonly clients: number;
  /** Between two transactions of a client. */
  readonly pauseMs: number;
  /** What each transaction does between BEGIN and COMMIT. */
  readonly statements: (id: number) => readonly { readonly text: string; readonly values: readonly unknown[] }[];
  /** Number of the first client. @default 0 */
  readonly firstClient?: number;
}

const connectTimeoutMs = 5000;
/** After an error, which the application would have shown to somebody. */
const pauseAfterErrorMs = 100;
/** For whom nobody answers when the drill is over. */
const longestGoodbyeMs = 3000;
/** SQLAlchemy gives up after a second connection that does not answer its ping. */
const checkOutAttempts = 2;

/**
 * Clients as the application's: each host has a pool as SQLAlchemy's with `pool_pre_ping`, and every transaction carries
 * an id that is looked for afterwards.
 *
 * @see https://docs.sqlalchemy.org/en/20/core/pooling.html#disconnect-handling-pessimistic
 */
export class LedgerClients {
  readonly numbers: readonly number[];
  private readonly pools: readonly Pool[];
  private readonly sockets = new Set<Socket>();
  private readonly running: Promise<void>;
  private stopped = false;

  constructor(
    private readonly options: LedgerClientsOptions,
    private readonly ledger: Ledger,
  ) {
    const { target, clients, firstClient = 0 } = options;
    this.pools = target.addresses.map((address) => this.openPool(address, Math.ceil(clients / target.addresses.length)));
    this.numbers = Array.from({ length: clients }, (_, index) => firstClient + index);
    this.running = Promise.all(this.numbers.map((number, index) => this.work(number, this.pools[index % this.pools.length]!))).then(() => undefined);
  }

  /** Lets every transaction end; a client that nobody answers is cut off. */
  async stop(): Promise<void> {
    this.stopped = true;
    const cut = setTimeout(() => this.sockets.forEach((socket) => socket.destroy()), longestGoodbyeMs);
    await this.running;
    clearTimeout(cut);
    for (const pool of this.pools) void pool.end().catch(() => undefined);
    this.sockets.forEach((socket) => socket.destroy());
  }

  private openPool(host: string, size: number): Pool {
    const pool = new Pool({
      ...clientConfig(this.options.target),
      host,
      max: size,
      connectionTimeoutMillis: connectTimeoutMs,
      idleTimeoutMillis: 0,
      stream: () => this.openSocket(),
    });
    pool.on('error', () => undefined); // an idle connection that breaks is found by the ping
    pool.on('connect', (client) => client.on('error', () => undefined));
    return pool;
  }

  private openSocket(): Socket {
    const socket = new Socket();
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    return socket;
  }

  private async work(client: number, pool: Pool): Promise<void> {
    const idsOfClient = 1_000_000;
    for (let count = 1; !this.stopped; count++) {
      this.ledger.begin(client);
      const failed = await this.transact(client, client * idsOfClient + count, pool);
      // Whoever waits between two transactions is not kept waiting.
      if (!failed && this.options.pauseMs > 0) await pause(this.options.pauseMs);
      if (failed && !this.stopped) await pause(pauseAfterErrorMs);
    }
    this.ledger.end(client);
  }

  /** @returns whether it failed */
  private async transact(client: number, id: number, pool: Pool): Promise<boolean> {
    let stage: TransactionStage = 'connect';
    let session: PoolClient | undefined;
    try {
      session = await checkOut(pool);
      stage = 'begin';
      await session.query('BEGIN');
      stage = 'statement';
      for (const { text, values } of this.options.statements(id)) await session.query(text, [...values]);
      stage = 'commit';
      await session.query('COMMIT');
      session.release();
      this.ledger.commit(client, id);
      return false;
    } catch (error) {
      session?.release(true);
      this.ledger.fail(client, id, stage, (error as Error).message);
      return true;
    }
  }
}

async function checkOut(pool: Pool): Promise<PoolClient> {
  for (let attempt = 1; ; attempt++) {
    const session = await pool.connect();
    try {
      await session.query('SELECT 1');
      return session;
    } catch (error) {
      session.release(true);
      if (attempt === checkOutAttempts) throw error;
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
