import type { AssemblyStack } from '../../../lib/assembly/environment-assembly';
import type { Template } from '../../../lib/assembly/template';
import { Deployment, type ResourceMaker, type ResourceRequest } from '../../../lib/rehearsal/deployment/deployment';

const stackOf = (stackName: string, template: Template): AssemblyStack => ({
  stackName,
  target: 'aws://unknown-account/unknown-region',
  terminationProtection: false,
  template,
  assetDirectory: () => undefined,
  imageDirectory: () => undefined,
  imageDirectories: () => [],
});
const noSignal = new AbortController().signal;

/** A maker that remembers what it was asked for. */
function recorder(made: ResourceRequest[] = []): { readonly maker: ResourceMaker; readonly made: ResourceRequest[] } {
  const maker: ResourceMaker = {
    fidelity: 'as it is',
    make: (request) => {
      made.push(request);
      return { ref: `${request.logicalId}-ref`, attributes: { Host: `${request.logicalId}.internal` } };
    },
  };
  return { maker, made };
}

describe('Deployment', () => {
  it('makes resources in dependency order and resolves what refers to them', async () => {
    const { maker, made } = recorder();
    const deployment = new Deployment(({ Type }) => (Type === 'Known' ? maker : undefined));
    const template = {
      Resources: {
        Task: { Type: 'Known', Properties: { host: { 'Fn::GetAtt': ['Db', 'Host'] }, region: { Ref: 'AWS::Region' } } },
        Db: { Type: 'Known' },
      },
      Outputs: { Url: { Value: { 'Fn::Join': ['', ['postgresql://', { 'Fn::GetAtt': ['Db', 'Host'] }]] } } },
    };
    await deployment.deploy(stackOf('data', template), noSignal);
    expect(made.map(({ logicalId, properties }) => [logicalId, properties])).toEqual([
      ['Db', {}],
      ['Task', { host: 'Db.internal', region: 'eu-central-1' }],
    ]);
    expect(deployment.output('data', 'Url')).toBe('postgresql://Db.internal');
  });

  it('hands the outputs of one stack to the next', async () => {
    const { maker, made } = recorder();
    const deployment = new Deployment(() => maker);
    await deployment.deploy(stackOf('data', { Resources: { Db: { Type: 'T' } }, Outputs: { Host: { Value: { 'Fn::GetAtt': ['Db', 'Host'] } } } }), noSignal);
    const reference = { 'Fn::GetStackOutput': { StackName: 'data', OutputName: 'Host' } };
    await deployment.deploy(stackOf('service', { Resources: { Fn: { Type: 'T', Properties: { host: reference } } } }), noSignal);
    expect(made.at(-1)?.properties).toEqual({ host: 'Db.internal' });
  });

  it('remembers every type that nothing here can bring up', async () => {
    const { maker } = recorder();
    const deployment = new Deployment(({ Type }) => (Type === 'Known' ? maker : undefined));
    await deployment.deploy(stackOf('data', { Resources: { A: { Type: 'Known', Properties: { role: { 'Fn::GetAtt': ['B', 'Arn'] } } }, B: { Type: 'AWS::New::Thing', Metadata: { 'aws:cdk:path': 'app/B' } } } }), noSignal);
    expect(deployment.resources).toMatchObject([
      { stackName: 'data', logicalId: 'B', type: 'AWS::New::Thing', constructPath: 'app/B', fidelity: 'not rehearsed' },
      { stackName: 'data', logicalId: 'A', type: 'Known', fidelity: 'as it is' },
    ]);
  });

  it('remembers every property that its maker has not read, so that a new one appears by itself', async () => {
    const maker: ResourceMaker = { fidelity: 'imitated', make: ({ properties }) => ({ ref: String(properties.Name), scaled: ['it is small'] }) };
    const deployment = new Deployment(() => maker);
    await deployment.deploy(stackOf('data', { Resources: { Db: { Type: 'T', Properties: { Name: 'db', Colour: 'green' } } } }), noSignal);
    expect(deployment.resources.map(({ scaled, unreadProperties }) => [scaled, unreadProperties()])).toEqual([[['it is small'], ['Colour']]]);
  });

  it('refuses an intrinsic that it does not know in what nothing here can bring up, too', async () => {
    const deployment = new Deployment(() => undefined);
    const template = { Resources: { Alarm: { Type: 'AWS::New::Thing', Properties: { Threshold: { 'Fn::Length': [1] } } } } };
    await expect(deployment.deploy(stackOf('data', template), noSignal)).rejects.toThrow('Alarm.Threshold: the intrinsic function Fn::Length is not known to the rehearsal');
  });

  it('says which resource of which stack failed', async () => {
    const deployment = new Deployment(() => ({ fidelity: 'imitated', make: () => Promise.reject(new Error('no disk')) }));
    await expect(deployment.deploy(stackOf('data', { Resources: { Db: { Type: 'AWS::RDS::DBInstance' } } }), noSignal)).rejects.toThrow(
      'AWS::RDS::DBInstance Db of data: no disk',
    );
  });

  it('stops before the next resource when it is interrupted', async () => {
    const interrupt = new AbortController();
    const { maker, made } = recorder();
    const deployment = new Deployment(() => maker, () => interrupt.abort());
    await expect(deployment.deploy(stackOf('data', { Resources: { A: { Type: 'T' }, B: { Type: 'T' } } }), interrupt.signal)).rejects.toThrow();
    expect(made).toHaveLength(1);
  });
});
