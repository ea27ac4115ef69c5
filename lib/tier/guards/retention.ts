import { type Guard, type GuardProblem, type GuardedStack, isSet, resourcesOf, shown } from './guarded-stack';

/** What cannot be made again from this repository. Logs are not among them: they end by themselves. */
const stateful = [
  'AWS::RDS::DBInstance',
  'AWS::RDS::DBCluster',
  'AWS::KMS::Key',
  'AWS::SecretsManager::Secret',
  'AWS::S3::Bucket',
  'AWS::DynamoDB::Table',
  'AWS::EFS::FileSystem',
  'AWS::Backup::BackupVault',
] as const;

/** Refuses state that goes with its stack, or with a resource that is replaced. */
export const guardRetention: Guard = (stack) => {
  if (stack.disposable) return [];
  const problems = resourcesOf(stack, ...stateful)
    // A replica holds nothing of its own.
    .filter(([, { Properties }]) => Properties?.SourceDBInstanceIdentifier === undefined)
    .flatMap(([logicalId, { Type, DeletionPolicy, UpdateReplacePolicy, Properties }]): GuardProblem[] => [
      ...Object.entries({ DeletionPolicy, UpdateReplacePolicy }).flatMap(([policy, value]) =>
        value === 'Retain' || value === 'RetainExceptOnCreate' ? [] : [{ logicalId, message: `${policy} is ${shown(value)}: ${lossBy[policy]!} deletes it; set removalPolicy: RemovalPolicy.RETAIN` }],
      ),
      ...(Type.startsWith('AWS::RDS::') && !isSet(Properties?.DeletionProtection, true)
        ? [{ logicalId, message: `DeletionProtection is ${shown(Properties?.DeletionProtection)}: one click or call deletes it; set deletionProtection: true` }]
        : []),
      ...(Type === 'AWS::RDS::DBInstance' && !isSet(Properties?.DeleteAutomatedBackups, false)
        ? [{ logicalId, message: `DeleteAutomatedBackups is ${shown(Properties?.DeleteAutomatedBackups)}: its backups would go with it; set deleteAutomatedBackups: false` }]
        : []),
    ]);
  return [...problems, ...unprotectedStack(stack)];
};

const lossBy: Readonly<Record<string, string>> = {
  DeletionPolicy: 'a destroyed stack, or a renamed construct,',
  UpdateReplacePolicy: 'a property that replaces it',
};

/** Retained instances survive a deleted stack, but the network around them does not. */
function unprotectedStack(stack: GuardedStack): readonly GuardProblem[] {
  const database = resourcesOf(stack, 'AWS::RDS::DBInstance', 'AWS::RDS::DBCluster')[0];
  if (!database || stack.terminationProtection) return [];
  return [{ logicalId: database[0], message: 'terminationProtection of its stack is false: a destroyed stack takes the network from it; set terminationProtection: true' }];
}
