import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Match, type Template } from 'aws-cdk-lib/assertions';

import { environments } from '../../lib/config/environments';
import { endpointNames } from '../../lib/tier/endpoints/endpoints.contract';
import { pinnedLogicalIds } from '../../lib/tier/guards/pinned-logical-ids';
import { synthesizeTier } from '../synthesize';

/** Any certificate will do: the first of RDS's. */
const [certificateAuthority = ''] = readFileSync(join(__dirname, '../../assets/pgbouncer/rds-ca.pem'), 'utf8').match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/) ?? [];

type Resources = Readonly<
  Record<
    string,
    {
      readonly Type: string;
      readonly Properties?: Record<string, unknown>;
      readonly DependsOn?: readonly string[];
      readonly DeletionPolicy?: string;
    }
  >
>;
const resourcesOf = (template: Template): Resources => (template.toJSON() as { Resources: Resources }).Resources;

describe('the service stack of production', () => {
  let template: Template;
  let data: Template;
  beforeAll(() => {
    ({ service: template, data } = synthesizeTier('production'));
  });

  it('keeps the logical ids of the secrets: another id is another password', () => {
    const secrets = Object.entries(resourcesOf(template)).filter(
      ([, { Type }]) => Type === 'AWS::SecretsManager::Secret',
    );
    expect(secrets.map(([logicalId]) => logicalId)).toEqual(pinnedLogicalIds.service);
    expect(new Set(secrets.map(([, { DeletionPolicy }]) => DeletionPolicy))).toEqual(new Set(['Retain']));
  });

  it('lets nothing but the proof of the deploy depend on the indexes', () => {
    const ofIndexes = Object.keys(resourcesOf(template)).filter((logicalId) => logicalId.startsWith('Indexes'));
    const dependents = Object.entries(resourcesOf(template)).filter(
      ([logicalId, resource]) =>
        !logicalId.startsWith('Indexes') && resource.Type !== 'Custom::SmokeCheck' && ofIndexes.some((id) => JSON.stringify(resource).includes(`"${id}"`)),
    );
    expect(dependents).toEqual([]);
  });

  it('proves a deploy by what an application would do, once the pooler runs, and again with every task definition', () => {
    const [service] = Object.keys(template.findResources('AWS::ECS::Service'));
    const [taskDefinition] = Object.keys(template.findResources('AWS::ECS::TaskDefinition'));
    template.hasResource('Custom::SmokeCheck', { DependsOn: Match.arrayWith([service]), Properties: { TaskDefinition: { Ref: taskDefinition } } });
  });

  it('proves it again with every change of the configuration, and after everything else', () => {
    const proofIn = (service: Template) => Object.entries(service.findResources('Custom::SmokeCheck'))[0]!;
    const [proofId, proof] = proofIn(template);
    const [, changed] = proofIn(synthesizeTier('production', { ...environments.production, monitoring: { alarmEmails: ['on-call@example.com'] } }).service);
    expect(proof.Properties.Configuration).toMatch(/^[0-9a-f]{16}$/);
    expect(changed.Properties.Configuration).not.toBe(proof.Properties.Configuration);
    const dependsOn = new Set(proof.DependsOn as string[]);
    for (const type of ['AWS::ECS::Service', 'Custom::PostgresRoles', 'Custom::PostgresIndexes', 'AWS::CloudWatch::Alarm', 'AWS::CloudWatch::CompositeAlarm', 'AWS::CloudWatch::Dashboard', 'AWS::Logs::MetricFilter']) {
      const ids = Object.keys(template.findResources(type));
      expect([type, ids.length > 0 && ids.every((id) => dependsOn.has(id))]).toEqual([type, true]);
    }
    const dependents = Object.values(resourcesOf(template)).filter((resource) => JSON.stringify(resource).includes(`"${proofId}"`));
    expect(dependents).toEqual([]);
  });

  it('starts the pooler and the indexes only when the roles exist', () => {
    const roles = Object.entries(resourcesOf(template)).find(([, { Type }]) => Type === 'Custom::PostgresRoles')![0];
    for (const type of ['AWS::ECS::Service', 'Custom::PostgresIndexes']) {
      template.hasResource(type, { DependsOn: Match.arrayWith([roles]) });
    }
  });

  it('builds indexes on the primary itself, never through the pooler', () => {
    const functions = Object.entries(resourcesOf(template)).filter(
      ([logicalId, { Type }]) => Type === 'AWS::Lambda::Function' && logicalId.startsWith('Indexes'),
    );
    const hosts = functions
      .map(
        ([, { Properties }]) =>
          (Properties as { Environment?: { Variables: { DATABASE_HOST?: unknown } } }).Environment?.Variables
            .DATABASE_HOST,
      )
      .filter(Boolean);
    expect(hosts).toHaveLength(3);
    for (const host of hosts)
      expect(JSON.stringify(host)).toMatch(/Fn::GetStackOutput.*DatabasePrimary.*EndpointAddress/);
  });

  it('publishes how to reach it as outputs and as parameters, without a password', () => {
    const parameters = Object.values(template.findResources('AWS::SSM::Parameter')).map(
      ({ Properties }) => Properties.Name as string,
    );
    expect(parameters).toEqual(endpointNames.map((name) => `/bookedbarber/production/${name}`));
    const outputs = (template.toJSON() as { Outputs: Record<string, { Value: unknown }> }).Outputs;
    expect(Object.keys(outputs)).toEqual(
      expect.arrayContaining(['DatabaseUrl', 'ReadReplicaUrl', 'MigrationsDatabaseUrl', 'ApplicationSecretArn']),
    );
    expect(JSON.stringify(outputs.DatabaseUrl)).toContain(':6432/bookedbarber?sslmode=require');
    expect(JSON.stringify(outputs.ReadReplicaUrl)).toContain(':6432/bookedbarber_ro?sslmode=require');
    expect(JSON.stringify(outputs)).not.toContain('resolve:secretsmanager');
  });

  it('publishes a name that can be verified, and by what, where the pooler has a certificate of the team', () => {
    const certificateSecret = { secret: 'pooler', hostName: 'pooler.bookedbarber.internal', authorities: certificateAuthority };
    const { service } = synthesizeTier('production', { ...environments.production, pooler: { ...environments.production.pooler, certificateSecret } });
    const { DatabaseUrl, PoolerBalancerHost } = (service.toJSON() as { Outputs: Record<string, { Value: unknown }> }).Outputs;
    expect(DatabaseUrl!.Value).toBe('postgresql://pooler.bookedbarber.internal:6432/bookedbarber?sslmode=verify-full');
    expect(PoolerBalancerHost!.Value).toEqual({ 'Fn::GetAtt': [expect.stringContaining('PoolerBalancer'), 'DNSName'] });
    service.hasResourceProperties('AWS::SSM::Parameter', { Name: '/bookedbarber/production/POOLER_AUTHORITIES', Value: certificateAuthority });
    const variables = { POOLER_HOST_NAME: 'pooler.bookedbarber.internal', POOLER_AUTHORITY_FILE: '/var/task/pooler-authorities.pem' };
    const verifying = Object.values(service.findResources('AWS::Lambda::Function', { Properties: { Environment: { Variables: variables } } }));
    expect(verifying.map(({ Properties }) => Properties.Description as string).sort()).toEqual([
      'changes passwords: in the database, in the userlist of PgBouncer and in their secrets',
      'tells on demand what the database tier looks like',
      'writes and reads through the pooler at the end of a deploy',
      'writes metrics of the instances and of the pooler',
    ]);
  });

  it('gives tasks one secret, and no function or task a password in its environment', () => {
    template.hasResourceProperties('AWS::ECS::TaskDefinition', {
      ContainerDefinitions: [
        Match.objectLike({
          Secrets: [{ Name: 'PGBOUNCER_USERLIST', ValueFrom: { Ref: Match.stringLikeRegexp('^RolesUserlist') } }],
        }),
      ],
    });
    const text = JSON.stringify(template.toJSON());
    expect(text).not.toContain('{{resolve:');
  });

  it('lets whoever reads a secret use its key', () => {
    const withoutKey = Object.entries(resourcesOf(template)).filter(([, { Type, Properties }]) => {
      const text = JSON.stringify(Properties);
      return (
        Type === 'AWS::IAM::Policy' && text.includes('secretsmanager:GetSecretValue') && !text.includes('kms:Decrypt')
      );
    });
    expect(withoutKey.map(([logicalId]) => logicalId)).toEqual([]);
  });

  it('refers to the data stack by outputs that can be removed: no export holds it back', () => {
    expect(JSON.stringify(template.toJSON())).not.toContain('Fn::ImportValue');
    const outputs = Object.values((data.toJSON() as { Outputs: Record<string, object> }).Outputs);
    expect(outputs.filter((output) => 'Export' in output)).toEqual([]);
  });

  it('shows the SQL of every index as a property of its own', () => {
    template.hasResourceProperties('Custom::PostgresIndexes', {
      Wait: 'started',
      idx_users_email: 'CREATE INDEX idx_users_email ON public.users (email)',
    });
  });
});

describe('a replica that is retiring', () => {
  it('runs on, but the pooler does not send anybody to it', () => {
    const { staging } = environments;
    const { data, service } = synthesizeTier('staging', {
      ...staging,
      replicas: { stays: {}, leaves: { retiring: true } },
    });
    data.resourceCountIs('AWS::RDS::DBInstance', 3);
    const [task] = Object.values(service.findResources('AWS::ECS::TaskDefinition'));
    const aliases = JSON.stringify(task!.Properties);
    expect(aliases).toContain('Replicastays');
    expect(aliases).not.toContain('Replicaleaves');
  });
});
