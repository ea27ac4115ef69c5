import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Child } from '../engines/child';
import { debianTools } from '../engines/debian-tools';
import { openFileLimit } from '../engines/open-file-limit';
import { assertPortsFree } from './ports-in-use';
import { addTarget, type BalancerSettings, removeTarget, renderHaproxyConfig } from './haproxy-config';
import { commandHaproxy } from './haproxy-runtime';

/** Two sockets a session, and some for haproxy itself. */
const socketsPerSession = 2;
const socketsOfItsOwn = 200;

/** The network load balancer: real haproxy, relaying TCP. */
export class Balancer {
  private constructor(
    /** Each stands for the network seen from one application host. */
    readonly addresses: readonly string[],
    readonly port: number,
    private readonly children: readonly Child[],
    private readonly sockets: readonly string[],
    private readonly directory: string,
  ) {}

  /**
   * Starts as many processes as the limit of open files demands for the sessions, and shares the addresses out to them.
   *
   * @throws Error if it does not listen; carries the end of its log
   */
  static async start(settings: BalancerSettings): Promise<Balancer> {
    for (const address of settings.addresses) await assertPortsFree(address, [settings.port]);
    const { haproxy } = await debianTools();
    const sessionsPerProcess = Math.floor(((await openFileLimit()) - socketsOfItsOwn) / socketsPerSession);
    const processes = Math.min(settings.addresses.length, Math.ceil(settings.maxSessions / sessionsPerProcess));
    const directory = await mkdtemp(join(tmpdir(), 'balancer-'));
    const children: Child[] = [];
    const sockets: string[] = [];
    const balancer = new Balancer(settings.addresses, settings.port, children, sockets, directory);
    try {
      for (let index = 0; index < processes; index++) {
        const addresses = settings.addresses.filter((_, position) => position % processes === index);
        const maxSessions = Math.min(sessionsPerProcess, settings.maxSessions);
        const file = join(directory, `haproxy-${index}.cfg`);
        const socket = join(directory, `haproxy-${index}.sock`);
        sockets.push(socket);
        await writeFile(file, renderHaproxyConfig({ ...settings, addresses, maxSessions, socket }));
        const child = new Child({ name: `balancer ${index + 1}`, ...haproxy, args: [...haproxy.args, '-db', '-f', file] });
        children.push(child);
        await listening(child, addresses[0]!, settings.port, socket);
      }
      return balancer;
    } catch (error) {
      await balancer.stop();
      throw error;
    }
  }

  /** Registers a target, `address:port`: it gets new connections. */
  async register(target: string): Promise<void> {
    await this.command(addTarget(target));
  }

  /** Sends nobody new to a target; its connections stay until one of their ends closes them. */
  async deregister(target: string): Promise<void> {
    await this.command(removeTarget(target));
  }

  logTail(lines?: number): string {
    return this.children.map((child) => child.logTail(lines)).join('\n');
  }

  async stop(): Promise<void> {
    await Promise.all(this.children.map((child) => child.stop('SIGKILL')));
    await rm(this.directory, { recursive: true, force: true });
  }

  private async command(commands: readonly string[]): Promise<void> {
    for (const socket of this.sockets) for (const command of commands) await commandHaproxy(socket, command);
  }
}

/** Waits until it takes connections, and commands too: it may give the one socket its name after it has opened the other. */
async function listening(child: Child, address: string, port: number, socket: string): Promise<void> {
  while (!(existsSync(socket) && (await accepts(address, port)))) {
    if (!child.isRunning) throw new Error(`haproxy did not start on ${address}:${port}: ${child.complaint()}; the end of its log:\n${child.logTail(5)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Whether somebody listens there. */
export async function accepts(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: address, port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
