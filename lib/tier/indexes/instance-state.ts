import { DescribeDBInstancesCommand, type RDSClient } from '@aws-sdk/client-rds';

/**
 * Waits until an instance is available: a build that starts while it is being modified is cut by the restart.
 *
 * @throws Error that says what the instance is doing when the time is over
 */
export async function waitUntilAvailable(rds: RDSClient, identifier: string, deadline: Date): Promise<void> {
  for (;;) {
    const status = await instanceStatus(rds, identifier);
    if (status === 'available') return;
    if (Date.now() > deadline.getTime()) {
      throw new Error(`instance ${identifier} is ${status}, and indexes are built on an available one; deploy again once it is`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5000));
  }
}

/** A line for each instance on which a static parameter waits for a restart, with the command that makes it. */
export async function pendingReboots(rds: RDSClient, identifiers: readonly string[]): Promise<readonly string[]> {
  const lines = await Promise.all(
    identifiers.map(async (identifier) => {
      const { DBInstances: [instance] = [] } = await rds.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: identifier }));
      const pending = instance?.DBParameterGroups?.some(({ ParameterApplyStatus }) => ParameterApplyStatus === 'pending-reboot');
      return pending ? [`${identifier}: parameters wait for a restart; run: aws rds reboot-db-instance --db-instance-identifier ${identifier}`] : [];
    }),
  );
  return lines.flat();
}

async function instanceStatus(rds: RDSClient, identifier: string): Promise<string> {
  const { DBInstances: [instance] = [] } = await rds.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: identifier }));
  return instance?.DBInstanceStatus ?? 'unknown';
}
