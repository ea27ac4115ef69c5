import { type DBInstance, DescribeDBInstancesCommand, type RDSClient } from '@aws-sdk/client-rds';

const gib = 2 ** 30;

/**
 * Statuses in which an instance serves and no restart is near. After storage was raised, optimizing it may take a day.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html
 */
const serving: ReadonlySet<string> = new Set([
  'available', 'backing-up', 'configuring-enhanced-monitoring', 'configuring-iam-database-auth', 'configuring-log-exports', 'storage-initialization', 'storage-optimization',
]); // prettier-ignore

/**
 * Waits until an instance serves: a build that starts while it is being modified is cut by the restart.
 *
 * @throws Error that says what the instance is doing when the time is over
 */
export async function waitUntilAvailable(rds: RDSClient, identifier: string, deadline: Date): Promise<void> {
  for (;;) {
    const status = (await describe(rds, identifier))?.DBInstanceStatus ?? 'unknown';
    if (serving.has(status)) return;
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
      const instance = await describe(rds, identifier);
      const pending = instance?.DBParameterGroups?.some(({ ParameterApplyStatus }) => ParameterApplyStatus === 'pending-reboot');
      return pending ? [`${identifier}: parameters wait for a restart; run: aws rds reboot-db-instance --db-instance-identifier ${identifier}`] : [];
    }),
  );
  return lines.flat();
}

/** Storage of an instance; undefined if RDS does not tell. */
export async function allocatedBytes(rds: RDSClient, identifier: string): Promise<number | undefined> {
  const allocatedGiB = (await describe(rds, identifier))?.AllocatedStorage;
  return allocatedGiB === undefined ? undefined : allocatedGiB * gib;
}

async function describe(rds: RDSClient, identifier: string): Promise<DBInstance | undefined> {
  const { DBInstances: [instance] = [] } = await rds.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: identifier }));
  return instance;
}
