import type { RehearsedResource } from '../../../lib/rehearsal/deployment/deployment';
import { fidelityRow, summarizeFidelity } from '../../../lib/rehearsal/report/fidelity';
import { fidelityData } from '../../../lib/rehearsal/report/page/fidelity-data';

const resource = (type: string, logicalId: string, rest: Partial<RehearsedResource> = {}): RehearsedResource => ({
  stackName: 'data',
  logicalId,
  type,
  constructPath: `production/data/${logicalId}`,
  fidelity: 'not rehearsed',
  scaled: [],
  idle: () => undefined,
  unreadProperties: () => [],
  ...rest,
});
const alarms = ['One', 'Two', 'Three', 'Four'].map((id) => fidelityRow(resource('AWS::CloudWatch::Alarm', id)));
const instance = fidelityRow(
  resource('AWS::RDS::DBInstance', 'Primary', { fidelity: 'imitated', how: 'PostgreSQL 17.10', scaled: ['shared_buffers is 1024 MB'], unreadProperties: () => ['Iops', 'BackupTarget', 'StorageType'] }),
);
const thing = fidelityRow(resource('AWS::New::Thing', 'Thing'));

describe('how the template was rehearsed', () => {
  it('says of each resource where it is, how it was rehearsed, why it was scaled and what of it has no effect', () => {
    expect(instance).toEqual({
      resourceType: 'AWS::RDS::DBInstance',
      stackName: 'data',
      logicalId: 'Primary',
      constructPath: 'production/data/Primary',
      fidelity: 'scaled',
      how: 'PostgreSQL 17.10',
      scaled: ['shared_buffers is 1024 MB'],
      withoutEffect: [{ why: 'its storage is the disk of this machine', properties: ['Iops', 'StorageType'] }],
      unknownProperties: ['BackupTarget'],
    });
    expect(alarms[0]).toMatchObject({ fidelity: 'not rehearsed', how: expect.stringContaining('there is no CloudWatch here') as string });
  });

  it('does not call what was made and never ran rehearsed', () => {
    const row = fidelityRow(resource('AWS::Lambda::Function', 'Rotation', { fidelity: 'as it is', idle: () => 'nothing called it', unreadProperties: () => ['Environment'] }));
    expect(row).toMatchObject({ fidelity: 'not rehearsed', how: 'nothing called it' });
    expect(row.unknownProperties).toBeUndefined();
  });

  it('names a type and a property that are new in the template by themselves', () => {
    expect(thing).toMatchObject({ fidelity: 'not known', how: 'this type is not known to the rehearsal' });
    expect(summarizeFidelity([instance, ...alarms, thing])).toEqual([
      'scaled, 1: RDS::DBInstance',
      'not rehearsed, 4: CloudWatch::Alarm × 4',
      'not known to the rehearsal: BackupTarget of AWS::RDS::DBInstance production/data/Primary',
      'not known to the rehearsal: AWS::New::Thing production/data/Thing',
    ]);
  });

  it('shows what is not known first, and resources of which the same is said together', () => {
    const groups = fidelityData([...alarms, instance, thing]);
    expect(groups.map(({ resourceType, count }) => [resourceType, count])).toEqual([
      ['AWS::New::Thing', 1],
      ['AWS::RDS::DBInstance', 1],
      ['AWS::CloudWatch::Alarm', 4],
    ]);
    expect(groups[2]!.resources).toEqual(['production/data/Four', 'production/data/One', 'production/data/Three', 'production/data/Two']);
  });
});
