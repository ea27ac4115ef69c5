import { renderConnectionString } from './postgres-conf';
import type { PostgresServer } from './postgres-server';

/** Longer than what is waited for ever takes here. */
const timeoutMs = 30_000;

/**
 * What ties a standby to its primary: a slot, and the commits that wait for it.
 *
 * @see https://www.postgresql.org/docs/17/warm-standby.html#STREAMING-REPLICATION
 */
export class StandbyLink {
  private synchronous = false;

  private constructor(
    private readonly primary: PostgresServer,
    /** Also the standby's application_name. */
    private readonly slot: string,
  ) {}

  /** Makes the slot, from which on the primary keeps WAL for the standby at that address. */
  static async open(primary: PostgresServer, standbyAddress: string): Promise<StandbyLink> {
    const link = new StandbyLink(primary, `standby_${standbyAddress.replace(/\./g, '_')}`);
    await primary.query('SELECT pg_create_physical_replication_slot($1, immediately_reserve => true)', [link.slot]);
    return link;
  }

  /** Settings of the standby. */
  settings(user: string, password: string): Readonly<Record<string, string>> {
    const { address: host, port } = this.primary;
    const primaryConninfo = renderConnectionString({ host, port, user, password, application_name: this.slot });
    return { primary_conninfo: primaryConninfo, primary_slot_name: this.slot };
  }

  /** Commits wait for this standby from now on, and for no other, as for the second zone of a Multi-AZ instance. */
  async makeSynchronous(): Promise<void> {
    this.synchronous = true;
    await this.primary.query(`ALTER SYSTEM SET synchronous_standby_names = '${this.slot}'`);
    await this.primary.query('SELECT pg_reload_conf()');
    await until(`${this.slot} is synchronous`, async () => {
      const isSync = "SELECT FROM pg_stat_replication WHERE application_name = $1 AND sync_state = 'sync'";
      return (await this.primary.query(isSync, [this.slot])).length > 0;
    });
  }

  /** Returns once the standby shows what its primary had committed when this was called. */
  async waitForReplay(standby: PostgresServer): Promise<void> {
    // Later in the WAL than every commit so far, and flushed, so that it is sent.
    const emit = "SELECT pg_logical_emit_message(false, 'replay', '', flush => true)::text AS lsn";
    const [mark] = await this.primary.query<{ lsn: string }>(emit);
    await until(`${standby.hostName} has replayed ${mark!.lsn}`, async () => {
      const isReplayed = 'SELECT WHERE pg_last_wal_replay_lsn() >= $1::pg_lsn';
      return (await standby.query(isReplayed, [mark!.lsn])).length > 0;
    });
  }

  /**
   * Frees the primary of a standby that has stopped: a slot that nobody reads keeps WAL for ever, and commits would
   * wait for ever too.
   */
  async close(): Promise<void> {
    if (!this.primary.isRunning) return;
    if (this.synchronous) {
      await this.primary.query('ALTER SYSTEM RESET synchronous_standby_names');
      await this.primary.query('SELECT pg_reload_conf()');
    }
    const endSender =
      'SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots WHERE slot_name = $1 AND active';
    await this.primary.query(endSender, [this.slot]);
    await this.primary.query('SELECT pg_drop_replication_slot($1)', [this.slot]);
  }
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs / 1000} s in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
