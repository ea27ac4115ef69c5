import { Client, type ClientConfig } from 'pg';

import { environments } from '../lib/config/environments';
import { indexCatalogue } from '../lib/tier/indexes/index-catalogue';
import { IndexReconciler } from '../lib/tier/indexes/index-reconciler';

/** How the guide's indexes are built. */
export type Build =
  /** One after another. */
  | { readonly statement: 'CREATE INDEX' | 'CREATE INDEX CONCURRENTLY' }
  /** By the index migrations. */
  | { readonly tablesAtOnce: number; readonly cores?: number };

/** To the process that builds: first the server, for which it answers `ready`; then what to build by, for which it answers `built`. */
export type BuildMessage = { readonly server: ClientConfig } | { readonly build: Build };

const { indexes } = environments.production;
let server: ClientConfig;

process.on('message', (message: BuildMessage) => {
  void (async () => {
    if ('server' in message) server = message.server;
    else await build(message.build);
    process.send!('server' in message ? 'ready' : 'built');
  })();
});

async function build(by: Build): Promise<void> {
  if ('tablesAtOnce' in by) {
    await new IndexReconciler({ connect, catalogue: indexCatalogue(indexes), generation: 1, log: () => undefined, ...by }).run(new Date(Date.now() + 3_600_000));
    return;
  }
  const session = await connect();
  for (const { name, table, definition } of indexes) await session.query(`${by.statement} ${name} ON ${table} ${definition}`);
  await session.end();
}

async function connect(): Promise<Client> {
  const session = new Client(server);
  await session.connect();
  return session;
}
