import type { DBInstance, RDSClient } from '@aws-sdk/client-rds';

import { waitUntilAvailable } from '../../../lib/tier/indexes/instance-state';

const rdsThatTells = (instance: DBInstance) => ({ send: () => Promise.resolve({ DBInstances: [instance] }) }) as unknown as RDSClient;
const now = (): Date => new Date();

describe('waitUntilAvailable', () => {
  it.each(['available', 'storage-optimization', 'backing-up', 'configuring-log-exports'])('lets an instance be built on that is %s', async (status) => {
    await expect(waitUntilAvailable(rdsThatTells({ DBInstanceStatus: status }), 'primary', now())).resolves.toBeUndefined();
  });

  it.each(['modifying', 'rebooting', 'upgrading', 'storage-full'])('says so when the time is over for one that is %s', async (status) => {
    const over = new Date(Date.now() - 1);
    await expect(waitUntilAvailable(rdsThatTells({ DBInstanceStatus: status }), 'primary', over)).rejects.toThrow(`instance primary is ${status}, and indexes are built on an available one; deploy again once it is`);
  });
});
