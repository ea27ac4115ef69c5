import { Client } from 'pg';

import { PostgresServer } from '../../../lib/rehearsal/engines/postgres-server';
import { IndexReconciler } from '../../../lib/tier/indexes/index-reconciler';
import { password, PooledDatabases } from '../pooler/pooled-databases';
import { PoolerProcess } from '../pooler/pooler-process';

const validate = (connect: () => Promise<Client>) => new IndexReconciler({ connect, catalogue: { indexes: [], retired: [] }, generation: 1, log: () => undefined }).validate();

describe('the reconciler', () => {
  it('refuses a standby', async () => {
    const server = await PostgresServer.start({ address: '127.34.1.1', parameters: { fsync: 'off' } });
    const standby = await server.startStandby({ address: '127.34.1.2' });
    try {
      await expect(validate(() => standby.superuser())).rejects.toThrow('the endpoint is a replica; indexes are built on the primary, and replicas follow');
    } finally {
      await standby.stop();
      await server.stop();
    }
  });

  it('refuses a pooler', async () => {
    const databases = await PooledDatabases.start('127.34.2', { replica: false });
    const pooler = await PoolerProcess.start('127.34.2.5', databases.environment());
    const through = async (): Promise<Client> => {
      const client = new Client({ host: pooler.address, port: 6432, user: 'bookedbarber_app', password, database: 'bookedbarber', ssl: { rejectUnauthorized: false } });
      await client.connect();
      return client;
    };
    try {
      await expect(validate(through)).rejects.toThrow('there is a pooler between; a build needs a session of its own: use the endpoint of the instance itself');
    } finally {
      await pooler.stop();
      await databases.stop();
    }
  });
});
