import { type ResolutionContext, resolveIntrinsics, UnresolvableError } from '../../lib/assembly/resolve-intrinsics';

const context: ResolutionContext = {
  ref: (logicalId) => ({ 'AWS::Region': 'eu-central-1', Db: 'bookedbarber-prod' })[logicalId],
  attribute: (logicalId, attribute) => (logicalId === 'Db' && attribute === 'Endpoint.Address' ? 'db.internal' : undefined),
  stackOutput: (stackName, outputName) => (stackName === 'data' && outputName === 'Host' ? 'other.internal' : undefined),
};
const resolve = (value: unknown) => resolveIntrinsics(value, context, 'Task.Environment');

describe('resolveIntrinsics', () => {
  it.each([
    ['Ref', { Ref: 'Db' }, 'bookedbarber-prod'],
    ['Ref to a pseudo parameter', { Ref: 'AWS::Region' }, 'eu-central-1'],
    ['Fn::GetAtt as a list', { 'Fn::GetAtt': ['Db', 'Endpoint.Address'] }, 'db.internal'],
    ['Fn::GetAtt as a string', { 'Fn::GetAtt': 'Db.Endpoint.Address' }, 'db.internal'],
    ['Fn::Join', { 'Fn::Join': ['', ['postgresql://', { Ref: 'Db' }, ':', 5432]] }, 'postgresql://bookedbarber-prod:5432'],
    ['Fn::Select over Fn::Split', { 'Fn::Select': [1, { 'Fn::Split': ['.', 'a.b.c'] }] }, 'b'],
    ['Fn::Sub', { 'Fn::Sub': '${Db.Endpoint.Address}/${AWS::Region}/${!Literal}' }, 'db.internal/eu-central-1/${Literal}'],
    ['Fn::Sub with variables', { 'Fn::Sub': ['${Host}:1', { Host: { Ref: 'Db' } }] }, 'bookedbarber-prod:1'],
    ['Fn::GetStackOutput', { 'Fn::GetStackOutput': { StackName: 'data', OutputName: 'Host' } }, 'other.internal'],
    ['Fn::GetAZs', { 'Fn::Select': [1, { 'Fn::GetAZs': '' }] }, 'eu-central-1b'],
  ])('resolves %s', (_title, value, expected) => {
    expect(resolve(value)).toBe(expected);
  });

  it('resolves inside lists and objects and leaves other values alone', () => {
    expect(resolve({ a: [{ Ref: 'Db' }, 1, true], b: { c: 'text' } })).toEqual({ a: ['bookedbarber-prod', 1, true], b: { c: 'text' } });
  });

  it('removes what refers to AWS::NoValue', () => {
    expect(resolve({ a: 1, b: { Ref: 'AWS::NoValue' }, c: [1, { Ref: 'AWS::NoValue' }] })).toEqual({ a: 1, c: [1] });
  });

  it('refuses an intrinsic it does not know, and says where it stands', () => {
    expect(() => resolve([{ Value: { 'Fn::Base64': 'x' } }])).toThrow(
      new UnresolvableError('Task.Environment[0].Value', 'the intrinsic function Fn::Base64 is not known to the rehearsal'),
    );
  });

  it.each([
    [{ Ref: 'Nobody' }, 'Ref to Nobody, which does not exist'],
    [{ 'Fn::GetAtt': ['Db', 'Colour'] }, 'Db has no attribute Colour in a rehearsal'],
    [{ 'Fn::GetStackOutput': { StackName: 'data', OutputName: 'Gone' } }, 'stack data has no output Gone'],
    [{ 'Fn::Select': [3, ['a']] }, 'Fn::Select asks for item 3 of 1'],
  ])('refuses %j', (value, message) => {
    expect(() => resolve(value)).toThrow(message);
  });
});
