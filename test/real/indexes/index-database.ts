import type { Client } from 'pg';

import type { IndexDefinition, RetiredIndex } from '../../../lib/config/tier-config';
import { PostgresServer } from '../../../lib/rehearsal/engines/postgres-server';
import { type indexCatalogue } from '../../../lib/tier/indexes/index-catalogue';
import { catalogueFromProperties, indexProperties } from '../../../lib/tier/indexes/index-properties';
import { IndexReconciler, type ReconcilerOptions } from '../../../lib/tier/indexes/index-reconciler';
import { builderLockClass } from '../../../lib/tier/indexes/index-session';

/** The catalogue as CloudFormation carries it. */
export const catalogueOf = (indexes: readonly IndexDefinition[], retired: readonly RetiredIndex[] = []): ReturnType<typeof indexCatalogue> =>
  catalogueFromProperties(indexProperties(indexes, retired));

export const index = (over: Partial<IndexDefinition> = {}): IndexDefinition => ({ name: 'i', table: 't', definition: '(a)', ...over });
/** A deadline for what is done at once, and takes its time on a machine that is busy. */
export const inTime = (): Date => new Date(Date.now() + 90_000);

export interface IndexRow {
  readonly name: string;
  readonly valid: boolean;
  readonly oid: string;
  readonly definition: string;
}

/** A server with a database for each test, so that one's leftovers are not another's. */
export class IndexDatabase {
  readonly events: Record<string, unknown>[] = [];
  private count = 0;
  private opened: Client | undefined;

  private constructor(readonly server: PostgresServer) {}

  static async start(address: string, parameters: Readonly<Record<string, string>> = {}): Promise<IndexDatabase> {
    return new IndexDatabase(await PostgresServer.start({ address, parameters: { fsync: 'off', autovacuum: 'off', deadlock_timeout: '200ms', ...parameters } }));
  }

  /** A new database. */
  async begin(): Promise<void> {
    await this.opened?.end();
    this.count += 1;
    this.events.splice(0);
    await this.server.query(`CREATE DATABASE ${this.name}`);
    this.opened = await this.connect();
  }

  async stop(): Promise<void> {
    await this.opened?.end();
    await this.server.stop();
  }

  get name(): string {
    return `test_${this.count}`;
  }

  get session(): Client {
    return this.opened!;
  }

  connect(): Promise<Client> {
    return this.server.superuser(this.name);
  }

  reconciler(indexes: readonly IndexDefinition[], over: Partial<ReconcilerOptions> = {}, retired: readonly RetiredIndex[] = []): IndexReconciler {
    return new IndexReconciler({ connect: () => this.connect(), catalogue: catalogueOf(indexes, retired), generation: 1, log: (event) => void this.events.push(event), ...over });
  }

  /** The indexes of the schema `public`, by name. */
  async indexes(): Promise<readonly IndexRow[]> {
    const { rows } = await this.session.query<IndexRow>(
      `SELECT c.relname AS name, i.indisvalid AS valid, c.oid::text, pg_get_indexdef(c.oid) AS definition
         FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1`,
    );
    return rows;
  }

  happened(event: string): readonly Record<string, unknown>[] {
    return this.events.filter((each) => each.event === event);
  }

  /** Waits until nobody builds any more: what is done is also marked then. */
  async noBuilder(): Promise<void> {
    const lives = async (): Promise<boolean> => (await this.session.query("SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = $1", [builderLockClass])).rowCount! > 0;
    while (await lives()) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  /** A session whose snapshot keeps every concurrent build from ending, until it ends. */
  async oldSnapshot(): Promise<Client> {
    const reader = await this.connect();
    await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
    return reader;
  }

  /** A session that has written to the table `t` and does not commit. */
  async openWriter(): Promise<Client> {
    const writer = await this.connect();
    await writer.query('BEGIN; INSERT INTO t VALUES (0)');
    return writer;
  }

  /** Lets a build that waits for a writer go on, to wait for this one before it validates. */
  async nextWriter(first: Client): Promise<Client> {
    await this.builderIn(/waiting for writers before build/);
    const second = await this.openWriter();
    await first.query('ROLLBACK');
    return second;
  }

  /** The session that builds, once it is in a phase. */
  async builderIn(phase: RegExp): Promise<number> {
    for (;;) {
      const { rows } = await this.session.query<{ pid: number; phase: string | null }>('SELECT pid, phase FROM pg_stat_progress_create_index');
      const found = rows.find((row) => phase.test(row.phase ?? ''));
      if (found) return found.pid;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
