import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';

import type { Client } from 'pg';

import { Child } from '../engines/child';
import { debianTools } from '../engines/debian-tools';
import { connectionEnvironment } from '../load/pgbench';
import type { Drill, DrillScene } from './drill';
import { applicationAt, commandConsole, connectTo, leaveRoomFor, taskOfEachHost } from './pooler-console';

const room = 50;
const floodOfClients = 150;
const unfinishedClients = 110;
/** Longer than they are tolerated. */
const crowdedSeconds = 8;
const longestCrowdedSeconds = 30;
/** https://www.postgresql.org/docs/17/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-SSLREQUEST */
const sslRequest = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
const refusal = /no more connections allowed \(max_client_conn\)/;

export const clientFlood: Drill = {
  name: 'client-flood',
  title: 'More clients than allowed',
  expectations: { errors: 0, longestSilenceSeconds: 3 },
  figures: [
    { name: 'refused', title: 'clients refused', unit: '', limit: { comparison: '≥', value: floodOfClients - room - 1 } },
    { name: 'refused-otherwise', title: 'clients refused in another way than by 08P01', unit: '', limit: { comparison: '=', value: 0 } },
    { name: 'elsewhere', title: 'log-ins at another task meanwhile', unit: '', limit: { comparison: '=', value: 1 } },
  ],
  why: `one host opens ${floodOfClients} connections where ${room} are left; those beyond max_client_conn are told so by an error of the protocol, and who has a connection keeps it`,
  async run(scene) {
    const { mark, measure, wait } = scene;
    await leaveRoomFor(room, scene, 0);
    mark('fault', `${floodOfClients} clients come at once`);
    const logins = await Promise.allSettled(Array.from({ length: floodOfClients }, () => connectTo(applicationAt(scene, 0))));
    const errors = logins.flatMap((login) => (login.status === 'rejected' ? [login.reason as Error & { code?: string }] : []));
    const refusals = errors.filter(({ code, message }) => code === '08P01' && refusal.test(message));
    measure('refused', refusals.length);
    measure('refused-otherwise', errors.length - refusals.length);
    const other = await connectTo(applicationAt(scene, 1));
    measure('elsewhere', (await other.query('SELECT 1')).rowCount ?? 0);
    await other.end();
    await wait(2);
    await endAll(logins.flatMap((login) => (login.status === 'fulfilled' ? [login.value] : [])));
    mark('repair', 'the flood recedes');
  },
};

export const stalledHandshakes: Drill = {
  name: 'stalled-handshakes',
  title: 'TLS handshakes that never go on',
  expectations: { errors: 0, longestSilenceSeconds: 3 },
  figures: [
    { name: 'refused', title: 'log-ins refused meanwhile', unit: '', limit: { comparison: '≥', value: 1 } },
    { name: 'logins-back', title: 'log-ins back after', unit: 's', limit: { comparison: '≤', value: 6 } },
  ],
  why: 'a connection that does not log in counts as a client until client_login_timeout, 5 s, ends it; who is logged in does not notice',
  run: (scene) => crowdOut(scene, 'clients ask for TLS and say no more', stall),
};

export const silentConnections: Drill = {
  name: 'silent-connections',
  title: 'Connections that never send a byte',
  expectations: { errors: 0, longestSilenceSeconds: 3 },
  figures: [
    { name: 'refused', title: 'log-ins refused meanwhile', unit: '', limit: { comparison: '≥', value: 1 } },
    { name: 'logins-back', title: 'log-ins back after', unit: 's', limit: { comparison: '≤', value: 7 } },
  ],
  why: 'the kernel waits a second for the first byte before PgBouncer hears of a connection (tcp_defer_accept); then it counts as a client until client_login_timeout, 5 s, ends it',
  run: (scene) => crowdOut(scene, 'clients connect and say nothing', connectSilently),
};

export const idleInTransaction: Drill = {
  name: 'idle-in-transaction',
  title: 'Transactions abandoned, as many as a task has server connections',
  expectations: { mostVisibleErrorsOfAClient: 1, recoverySeconds: 32, longestSilenceSeconds: 32 },
  figures: [{ name: 'errors-elsewhere', title: 'errors of clients at other tasks', unit: '', limit: { comparison: '=', value: 0 } }],
  why: 'the server ends a transaction that has been idle for 30 s (idle_in_transaction_session_timeout of the role); until then whoever shares the task waits: for 15 s (query_wait_timeout), after which the pre-ping fails, and once more on the connection that the pre-ping then opens. Other tasks have pools of their own',
  async run(scene) {
    const { clients, connections, ledger, mark, measure, tier, defer } = scene;
    const hosts = await taskOfEachHost(tier, connections);
    const databases = await commandConsole<{ name: string; max_connections: number }>(connections.consoleOf(0), 'SHOW DATABASES');
    const poolSize = Number(databases.find(({ name }) => name === connections.readWrite.database)!.max_connections);
    const abandoned = await Promise.all(Array.from({ length: poolSize }, () => connectTo(applicationAt(scene, 0))));
    defer('abandoned transactions', () => endAll(abandoned));
    await Promise.all(abandoned.map((client) => client.query('BEGIN')));
    mark('fault', `${poolSize} transactions are begun and abandoned at one task`);
    await scene.recovered();
    const task = tier.pooler.tasks[0]!.address;
    const elsewhere = ledger.errors.filter(({ client }) => hosts[clients.indexOf(client) % hosts.length] !== task);
    measure('errors-elsewhere', elsewhere.length);
  },
};

export const cancelThroughBalancer: Drill = {
  name: 'cancel-through-balancer',
  title: 'Queries cancelled through the balancer',
  expectations: { errors: 0 },
  figures: [
    { name: 'cancelled', title: 'queries cancelled, of 8', unit: '', limit: { comparison: '=', value: 8 } },
    { name: 'slowest-cancel', title: 'slowest', unit: 's', limit: { comparison: '≤', value: 3 } },
  ],
  why: 'a cancel request is a connection of its own, and only the task that holds the query can act on it: the balancer keeps each application host at one task',
  async run({ connections, mark, measure, ledger, tier, wait }) {
    const { addresses } = connections.readWrite;
    const { server } = tier.databases.primary;
    mark('fault', 'every host cancels two queries');
    let [cancelled, slowest] = [0, 0];
    for (const address of [...addresses, ...addresses]) {
      const marker = `drill ${cancelled} ${address} ${ledger.seconds}`;
      const said: string[] = [];
      const psql = await startPsql({ ...connections.readWrite, addresses: [address] }, `SELECT pg_sleep(10) /* ${marker} */`, (line) => said.push(line));
      while ((await server.query("SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE $1 AND pid <> pg_backend_pid()", [`%/* ${marker} */%`])).length === 0) {
        if (!psql.isRunning) throw new Error(`psql ended before its query was cancelled: ${said.join(' ')}`);
        await wait(0.05);
      }
      const at = ledger.seconds;
      psql.signal('SIGINT');
      await psql.exited;
      if (said.some((line) => line.includes('canceling statement due to user request'))) cancelled += 1;
      slowest = Math.max(slowest, ledger.seconds - at);
    }
    measure('cancelled', cancelled);
    measure('slowest-cancel', slowest);
  },
};

async function startPsql(target: DrillScene['connections']['readWrite'], sql: string, onLine: (line: string) => void): Promise<Child> {
  const { psql } = await debianTools();
  return new Child({ name: 'psql', command: psql.command, args: [...psql.args, '--no-psqlrc', '--command', sql], environment: connectionEnvironment(target), onLine });
}

/** More clients than a task has room for come, and do not log in; measures whether others are refused, and for how long. */
async function crowdOut(scene: DrillScene, what: string, connect: (host: string, port: number) => Promise<Socket>): Promise<void> {
  const { mark, measure, wait, ledger, defer } = scene;
  await leaveRoomFor(room, scene, 0);
  const target = applicationAt(scene, 0);
  const startedAt = ledger.seconds;
  mark('fault', `${unfinishedClients} ${what}`);
  const sockets = await Promise.all(Array.from({ length: unfinishedClients }, () => connect(target.addresses[0]!, target.port)));
  defer('clients that do not log in', () => sockets.forEach((socket) => socket.destroy()));
  let refused = 0;
  let backAfter: number | undefined;
  for (let seconds = 0; backAfter === undefined || seconds < crowdedSeconds; seconds = ledger.seconds - startedAt) {
    if (seconds > longestCrowdedSeconds) return; // not measured: not as expected
    try {
      await (await connectTo(target)).end();
      if (refused > 0 && backAfter === undefined) mark('note', 'others get in again');
      backAfter ??= ledger.seconds - startedAt;
    } catch (error) {
      if (!refusal.test((error as Error).message)) throw error;
      refused += 1;
      backAfter = undefined;
    }
    await wait(0.1);
  }
  measure('refused', refused);
  measure('logins-back', backAfter);
}

/** Opens a connection, and leaves it at that. */
async function connectSilently(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port }, () => resolve(socket));
    socket.once('error', reject);
    socket.on('error', () => undefined); // the pooler ends it
  });
}

/** Opens a connection, asks for TLS, gets the answer, and leaves it at that. */
async function stall(host: string, port: number): Promise<Socket> {
  const socket = await connectSilently(host, port);
  socket.write(sslRequest);
  await once(socket, 'data');
  return socket;
}

async function endAll(clients: readonly Client[]): Promise<void> {
  await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
}
