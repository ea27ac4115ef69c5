import { assertResolvable } from '../../lib/assembly/assert-resolvable';
import type { AssemblyStack } from '../../lib/assembly/environment-assembly';
import type { Template } from '../../lib/assembly/template';

const stackOf = (template: Template) => ({ stackName: 'data', template }) as AssemblyStack;

describe('assertResolvable', () => {
  it('names everything that cannot be resolved with its place, all at once', () => {
    const template = {
      Transform: 'AWS::LanguageExtensions',
      Conditions: { IsProduction: { 'Fn::Equals': ['a', 'b'] } },
      Resources: {
        Alarm: { Type: 'AWS::CloudWatch::Alarm', Condition: 'IsProduction', Properties: { Threshold: { 'Fn::Length': [1] }, Names: [{ 'Fn::Join': ['', [{ 'Fn::Base64': 'x' }]] }] } },
      },
      Outputs: { Url: { Value: { 'Fn::If': ['IsProduction', 'a', 'b'] } } },
    };
    expect(() => assertResolvable([stackOf(template)])).toThrow(
      [
        'the template has what the rehearsal cannot resolve: data: Transform "AWS::LanguageExtensions"',
        'data: Conditions.IsProduction',
        'data: Alarm has the Condition IsProduction',
        'data: Alarm.Threshold uses Fn::Length',
        'data: Alarm.Names[0][1][0] uses Fn::Base64',
        'data: Outputs.Url uses Fn::If',
      ].join('; '),
    );
  });

  it('lets what is known pass, a policy with its conditions too', () => {
    const template = { Resources: { Role: { Type: 'AWS::IAM::Role', Properties: { Policy: { Effect: 'Allow', Condition: { ArnLike: { 'aws:SourceArn': { 'Fn::Sub': '${AWS::Region}' } } } } } } } };
    expect(() => assertResolvable([stackOf(template)])).not.toThrow();
  });
});
