import type { Resource } from '../../assembly/template';
import { type Guard, isSet, resourcesOf, shown } from './guarded-stack';

/** The property that encrypts what a type keeps, where AWS does not by itself. */
const encryptedBy: Readonly<Record<string, { readonly property: string; readonly encrypted: (value: unknown) => boolean; readonly fix: string }>> = {
  'AWS::RDS::DBInstance': { property: 'StorageEncrypted', encrypted: (value) => isSet(value, true), fix: 'set storageEncrypted: true and a key; it cannot be encrypted later' },
  'AWS::RDS::DBCluster': { property: 'StorageEncrypted', encrypted: (value) => isSet(value, true), fix: 'set storageEncrypted: true and a key; it cannot be encrypted later' },
  'AWS::EFS::FileSystem': { property: 'Encrypted', encrypted: (value) => isSet(value, true), fix: 'set encrypted: true' },
  'AWS::EC2::Volume': { property: 'Encrypted', encrypted: (value) => isSet(value, true), fix: 'set encrypted: true' },
  'AWS::SecretsManager::Secret': { property: 'KmsKeyId', encrypted: isKey, fix: "set encryptionKey to the data stack's key" },
  'AWS::Logs::LogGroup': { property: 'KmsKeyId', encrypted: isKey, fix: 'make it a TierLogGroup' },
  'AWS::SNS::Topic': { property: 'KmsMasterKeyId', encrypted: isKey, fix: "set masterKey to the data stack's key" },
};

/** Refuses storage without encryption. A replica inherits its source's. */
export const guardEncryption: Guard = (stack) =>
  resourcesOf(stack, ...Object.keys(encryptedBy))
    .filter(([, { Properties }]) => Properties?.SourceDBInstanceIdentifier === undefined)
    .flatMap(([logicalId, { Type, Properties }]: readonly [string, Resource]) => {
      const { property, encrypted, fix } = encryptedBy[Type]!;
      const value = Properties?.[property];
      return encrypted(value) ? [] : [{ logicalId, message: `${property} is ${shown(value)}: it would be kept without the tier's encryption; ${fix}` }];
    });

function isKey(value: unknown): boolean {
  return value !== undefined && value !== '';
}
