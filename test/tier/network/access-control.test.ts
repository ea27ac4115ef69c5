import { Template } from 'aws-cdk-lib/assertions';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Stack } from 'aws-cdk-lib/core';

import { resolveConfig } from '../../../lib/config/resolve-config';
import { environments } from '../../../lib/config/environments';
import type { NetworkConfig } from '../../../lib/config/tier-config';
import { AccessControl } from '../../../lib/tier/network/access-control';
import { accessList } from '../../../lib/tier/network/access-list';
import { Network } from '../../../lib/tier/network/network';
import { testApp } from '../../synthesize';

interface Rule {
  readonly from: string;
  readonly to: string;
  readonly port: unknown;
}

/** Every rule of every security group, as `from → to : port`, sorted. */
function rulesOf(network: NetworkConfig): readonly string[] {
  const stack = new Stack(testApp(), 'network');
  const { production } = environments;
  const config = resolveConfig('production', { ...production, network }).network;
  const { vpc, endpointSecurityGroup } = new Network(stack, 'Network', { encryptionKey: new Key(stack, 'Key'), config });
  new AccessControl(stack, 'Access', { vpc, accessList: accessList(config), endpointSecurityGroup });
  const template = Template.fromStack(stack);

  const groups = template.findResources('AWS::EC2::SecurityGroup');
  const nameOf = (group: unknown): string => {
    const id = (group as { 'Fn::GetAtt': [string, string] })['Fn::GetAtt'][0];
    return String(groups[id]!.Properties.GroupDescription).replace(/ of the database tier$/, '');
  };
  const peerOf = (rule: Record<string, unknown>, key: string): string =>
    typeof rule.CidrIp === 'string' ? rule.CidrIp : typeof rule[key] === 'string' ? rule[key] : nameOf(rule[key]);
  const rules: Rule[] = [
    ...Object.values(template.findResources('AWS::EC2::SecurityGroupIngress')).map(({ Properties: rule }) => ({
      from: peerOf(rule, 'SourceSecurityGroupId'), to: `${nameOf(rule.GroupId)} (in)`, port: rule.ToPort as unknown,
    })),
    ...Object.values(template.findResources('AWS::EC2::SecurityGroupEgress')).map(({ Properties: rule }) => ({
      from: `${nameOf(rule.GroupId)} (out)`, to: peerOf(rule, 'DestinationSecurityGroupId'), port: rule.ToPort as unknown,
    })),
    ...Object.entries(groups).flatMap(([id, { Properties: group }]) => [
      ...((group.SecurityGroupIngress ?? []) as Record<string, unknown>[]).map((rule) => ({
        from: peerOf(rule, 'SourceSecurityGroupId'), to: `${nameOf({ 'Fn::GetAtt': [id] })} (in)`, port: rule.ToPort,
      })),
      ...((group.SecurityGroupEgress ?? []) as Record<string, unknown>[])
        // CDK writes "allow nothing" as a rule that matches nobody.
        .filter((rule) => rule.CidrIp !== '255.255.255.255/32')
        .map((rule) => ({ from: `${nameOf({ 'Fn::GetAtt': [id] })} (out)`, to: peerOf(rule, 'DestinationSecurityGroupId'), port: rule.ToPort })),
    ]),
  ];
  return rules.map(({ from, to, port }) => `${from} → ${to} : ${String(port)}`).sort();
}

describe('who may talk to whom', () => {
  it('is exactly this, through NAT', () => {
    expect(rulesOf({ egress: { natGateways: 1 }, applications: { api: '10.30.0.0/16', jobs: 'sg-0123456789abcdef0' }, migrationClients: { ci: '10.40.0.0/24' } })).toEqual(
      [
        '10.30.0.0/16 → balancer (in) : 6432',
        'sg-0123456789abcdef0 → balancer (in) : 6432',
        '10.40.0.0/24 → primary (in) : 5432',
        'balancer (out) → pooler : 6432',
        'balancer → pooler (in) : 6432',
        'pooler (out) → primary : 5432',
        'pooler → primary (in) : 5432',
        'pooler (out) → replicas : 5432',
        'pooler → replicas (in) : 5432',
        'bootstrap (out) → primary : 5432',
        'bootstrap → primary (in) : 5432',
        'indexes (out) → primary : 5432',
        'indexes → primary (in) : 5432',
        'smokeCheck (out) → balancer : 6432',
        'smokeCheck → balancer (in) : 6432',
        'collector (out) → pooler : 6432',
        'collector → pooler (in) : 6432',
        'collector (out) → primary : 5432',
        'collector → primary (in) : 5432',
        'collector (out) → replicas : 5432',
        'collector → replicas (in) : 5432',
        'rotation (out) → primary : 5432',
        'rotation → primary (in) : 5432',
        'rotation (out) → pooler : 6432',
        'rotation → pooler (in) : 6432',
        'rotation (out) → 0.0.0.0/0 : 443',
        'pooler (out) → 0.0.0.0/0 : 443',
        'bootstrap (out) → 0.0.0.0/0 : 443',
        'indexes (out) → 0.0.0.0/0 : 443',
        'collector (out) → 0.0.0.0/0 : 443',
        'smokeCheck (out) → 0.0.0.0/0 : 443',
      ].sort(),
    );
  });

  it('leaves no way to the internet with interface endpoints', () => {
    const rules = rulesOf({ egress: 'interface-endpoints' });
    expect(rules.filter((rule) => rule.includes('0.0.0.0/0'))).toEqual([]);
    expect(rules.filter((rule) => rule.endsWith(' : 443'))).toEqual(
      ['pooler', 'bootstrap', 'indexes', 'collector', 'rotation', 'smokeCheck']
        .flatMap((party) => [`${party} (out) → interface endpoints : 443`, `${party} → interface endpoints (in) : 443`])
        .sort(),
    );
  });
});
