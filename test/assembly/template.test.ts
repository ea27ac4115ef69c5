import { inDependencyOrder, referencedIds, type Template } from '../../lib/assembly/template';

describe('referencedIds', () => {
  it('finds Ref, Fn::GetAtt and Fn::Sub at any depth', () => {
    const value = [{ a: { Ref: 'A' } }, { 'Fn::GetAtt': ['B', 'Arn'] }, { 'Fn::Sub': ['${C.Arn} ${v} ${!no}', { v: { Ref: 'D' } }] }];
    expect(referencedIds(value)).toEqual(['A', 'B', 'C', 'D']);
  });
});

describe('inDependencyOrder', () => {
  const order = (resources: Template['Resources']) => inDependencyOrder({ Resources: resources }).map(([logicalId]) => logicalId);

  it('puts a resource after what it refers to and what it depends on', () => {
    expect(
      order({
        Service: { Type: 'S', DependsOn: ['Bootstrap'], Properties: { task: { Ref: 'Task' } } },
        Task: { Type: 'T', Properties: { region: { Ref: 'AWS::Region' } } },
        Bootstrap: { Type: 'B' },
      }),
    ).toEqual(['Bootstrap', 'Task', 'Service']);
  });

  it('names a circle', () => {
    expect(() => order({ A: { Type: 'T', DependsOn: 'B' }, B: { Type: 'T', Properties: { x: { Ref: 'A' } } } })).toThrow(
      'resources depend on each other: A → B → A',
    );
  });
});
