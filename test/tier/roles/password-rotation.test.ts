import { Match } from 'aws-cdk-lib/assertions';

import { environments } from '../../../lib/config/environments';
import { resolveConfig } from '../../../lib/config/resolve-config';
import type { PasswordRotation } from '../../../lib/config/tier-config';
import { roleProblems } from '../../../lib/tier/roles/role-problems';
import { synthesizeTier } from '../../synthesize';

const problems = (passwordRotation: PasswordRotation) =>
  roleProblems(resolveConfig('staging', { ...environments.staging, roles: { passwordRotation } })).map(({ field, message }) => `${field}: ${message}`);

describe('the rotation of passwords', () => {
  it('has a schedule for every secret that holds one, and rotates nothing during a deploy', () => {
    const { service } = synthesizeTier('production');
    const secrets = Object.entries(service.findResources('AWS::SecretsManager::Secret', { Properties: { GenerateSecretString: Match.anyValue() } })).map(([id]) => id);
    const schedules = Object.values(service.findResources('AWS::SecretsManager::RotationSchedule')) as { Properties: { SecretId: { Ref: string } } }[];
    expect(schedules.map(({ Properties }) => Properties.SecretId.Ref).sort()).toEqual(secrets.sort());
    service.allResourcesProperties('AWS::SecretsManager::RotationSchedule', {
      RotateImmediatelyOnUpdate: false,
      RotationRules: { ScheduleExpression: 'rate(30 days)', Duration: '4h' },
    });
  });

  it('may write no secret but those, and update no service but the pooler', () => {
    const { service } = synthesizeTier('production');
    const [policy] = Object.values(service.findResources('AWS::IAM::Policy', { Properties: { PolicyName: Match.stringLikeRegexp('^RotationFunction') } })) as { Properties: { PolicyDocument: { Statement: { Action: string | string[]; Resource: unknown }[] } } }[];
    const statements = policy!.Properties.PolicyDocument.Statement.map(({ Action, Resource }) => [[Action].flat().join(' '), JSON.stringify(Resource)]);
    expect(statements.filter(([, resource]) => resource === '"*"').map(([actions]) => actions)).toEqual(['ecs:ListTasks']);
    expect(statements.find(([actions]) => actions!.includes('ecs:UpdateService'))).toEqual(['ecs:DescribeServices ecs:UpdateService', expect.stringMatching(/^\{"Ref":"PoolerService\w+"\}$/)]);
    expect(JSON.stringify(statements)).not.toContain('MasterSecret');
  });

  it('is switched off by a reason, and refuses a number of days that Secrets Manager does not take', () => {
    expect(problems({ off: 'the sample data is rebuilt every night' })).toEqual([]);
    expect(problems({ off: 'no' })).toEqual([
      'roles.passwordRotation: the reason "no" does not say why passwords may stay as they are; write a sentence, or use { everyDays: 30 }',
    ]);
    expect(problems({ everyDays: 0 })).toEqual(['roles.passwordRotation.everyDays: 0 is not a whole number from 1 to 1000 (days)']);
  });
});
