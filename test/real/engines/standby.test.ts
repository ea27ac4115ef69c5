import { symlink } from 'node:fs/promises';
import { join } from 'node:path';

import { Client } from 'pg';

import { CertificateAuthority } from '../../../lib/rehearsal/engines/certificate-authority';
import { PostgresServer } from '../../../lib/rehearsal/engines/postgres-server';

const rds = { masterUsername: 'master', masterPassword: 'of the test', databaseName: 'bookings' };
let authority: CertificateAuthority;
let primary: PostgresServer;
let standby: PostgresServer;

beforeAll(async () => {
  authority = await CertificateAuthority.create('authority of the test');
  const parameters = { fsync: 'off', max_connections: '50' };
  primary = await PostgresServer.start({ address: '127.31.2.1', tls: authority, rds, parameters });
  await primary.query('CREATE TABLE stays AS SELECT generate_series(1, 1000) AS n');
  // Copying it fails like that of a file which has vanished since the directory was listed.
  await symlink('/nowhere', join(primary.dataDirectory, 'base/vanished'));
  standby = await primary.startStandby({
    address: '127.31.2.2',
    hostName: 'replica.internal',
    parameters: { work_mem: '6MB' },
  });
});
afterAll(async () => {
  await standby?.stop();
  await primary?.stop();
});

const slots = () => primary.query('SELECT slot_name FROM pg_replication_slots ORDER BY 1');
const ofStandby = { slot_name: 'standby_127_31_2_2' };

describe('a standby', () => {
  it('has what was there before it, whatever vanished under its copy, shows what is committed since, and refuses writes', async () => {
    await standby.query('SELECT pg_wal_replay_pause()');
    await primary.query('CREATE TABLE streamed AS SELECT generate_series(1, 50000) AS n');
    let replayed = false;
    const replay = standby.waitForReplay().then(() => (replayed = true));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(replayed).toBe(false);
    await standby.query('SELECT pg_wal_replay_resume()');
    await replay;
    const counts =
      'SELECT (SELECT count(*)::int FROM stays) AS stays, (SELECT count(*)::int FROM streamed) AS streamed';
    expect(await standby.query(counts)).toEqual([{ stays: 1000, streamed: 50_000 }]);
    await expect(standby.query('DELETE FROM streamed')).rejects.toThrow(
      'cannot execute DELETE in a read-only transaction',
    );
  });

  it('has parameters of its own', async () => {
    expect(await standby.query('SHOW work_mem')).toEqual([{ work_mem: '6MB' }]);
    expect(await primary.query('SHOW work_mem')).toEqual([{ work_mem: '4MB' }]);
  });

  it("lets the primary's master in, over TLS and under its own name only", async () => {
    const login = {
      host: standby.address,
      user: rds.masterUsername,
      password: rds.masterPassword,
      database: rds.databaseName,
    };
    const session = new Client({ ...login, ssl: { ca: authority.certificatePem, servername: 'replica.internal' } });
    await session.connect();
    expect((await session.query('SELECT pg_is_in_recovery() AS recovering')).rows).toEqual([{ recovering: true }]);
    await session.end();
    await expect(new Client(login).connect()).rejects.toThrow('no encryption');
  });

  it('catches up after a restart', async () => {
    await standby.restart();
    await primary.query('CREATE TABLE after_restart AS SELECT 42 AS answer');
    await standby.waitForReplay();
    expect(await standby.query('SELECT answer FROM after_restart')).toEqual([{ answer: 42 }]);
  });

  it('leaves nothing on the primary when it cannot start', async () => {
    const starting = primary.startStandby({ address: '127.31.2.3', parameters: { max_connections: '20' } });
    await expect(starting).rejects.toThrow(
      /did not start on 127\.31\.2\.3:5432: .*recovery aborted because of insufficient parameter settings/s,
    );
    expect(await slots()).toEqual([ofStandby]);
  });
});

describe('a synchronous standby', () => {
  it('is waited for by each commit until it stops, and takes its slot with it', async () => {
    const second = await primary.startStandby({ address: '127.31.2.4', synchronous: true });
    try {
      const waits = "SELECT application_name FROM pg_stat_replication WHERE sync_state = 'sync'";
      expect(await primary.query(waits)).toEqual([{ application_name: 'standby_127_31_2_4' }]);
      const [receiver] = await second.query<{ pid: number }>('SELECT pid FROM pg_stat_wal_receiver');
      process.kill(receiver!.pid, 'SIGSTOP');
      let committed = false;
      const commit = primary.query('CREATE TABLE waited_for ()').then(() => (committed = true));
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(committed).toBe(false);
      process.kill(receiver!.pid, 'SIGCONT');
      await commit;
    } finally {
      await second.stop();
    }
    await primary.query('CREATE TABLE waited_for_by_nobody ()');
    expect(await slots()).toEqual([ofStandby]);
  });
});

describe('a standby whose primary has died', () => {
  it('is promoted, and is then a primary of its own', async () => {
    await primary.query('CREATE TABLE promised AS SELECT 42 AS answer');
    await standby.waitForReplay();
    await primary.stop('immediate');
    await standby.promote();
    await standby.query('INSERT INTO promised VALUES (43)');
    expect(await standby.query('SELECT answer FROM promised')).toEqual([{ answer: 42 }, { answer: 43 }]);
    await expect(standby.waitForReplay()).rejects.toThrow('replica.internal is no standby');
  });
});
