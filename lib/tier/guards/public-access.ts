import { referencedIds } from '../../assembly/template';
import { type Guard, type GuardProblem, type GuardedStack, isSet, resourcesOf, shown } from './guarded-stack';

/** Refuses everything by which the internet could reach the tier. */
export const guardPublicAccess: Guard = (stack) => [
  ...publicInstances(stack),
  ...subnetsWithInternet(stack),
  ...openSecurityGroups(stack),
  ...publicBalancers(stack),
  ...publicTasks(stack),
  ...publicFunctions(stack),
  ...openPolicies(stack),
];

const publicInstances: Guard = (stack) =>
  resourcesOf(stack, 'AWS::RDS::DBInstance')
    .filter(([, { Properties }]) => !isSet(Properties?.PubliclyAccessible, false))
    .map(([logicalId, { Properties }]) => ({ logicalId, message: `PubliclyAccessible is ${shown(Properties?.PubliclyAccessible)}: it would get a public address; set publiclyAccessible: false` }));

/** A database in a subnet whose route leads to an internet gateway. */
function subnetsWithInternet(stack: GuardedStack): readonly GuardProblem[] {
  const gateways = new Set(resourcesOf(stack, 'AWS::EC2::InternetGateway').map(([logicalId]) => logicalId));
  const tables = new Set(
    resourcesOf(stack, 'AWS::EC2::Route')
      .filter(([, { Properties }]) => referencedIds(Properties?.GatewayId).some((id) => gateways.has(id)))
      .flatMap(([, { Properties }]) => referencedIds(Properties?.RouteTableId)),
  );
  const open = new Set(
    resourcesOf(stack, 'AWS::EC2::SubnetRouteTableAssociation')
      .filter(([, { Properties }]) => referencedIds(Properties?.RouteTableId).some((id) => tables.has(id)))
      .flatMap(([, { Properties }]) => referencedIds(Properties?.SubnetId)),
  );
  return resourcesOf(stack, 'AWS::RDS::DBSubnetGroup').flatMap(([logicalId, { Properties }]) =>
    referencedIds(Properties?.SubnetIds)
      .filter((id) => open.has(id))
      .map((subnet) => ({ logicalId, message: `SubnetIds holds ${subnet}, whose routes lead to an internet gateway; use isolated subnets` })),
  );
}

const everybody: ReadonlySet<unknown> = new Set(['0.0.0.0/0', '::/0']);

interface IngressRule {
  readonly CidrIp?: unknown;
  readonly CidrIpv6?: unknown;
  readonly FromPort?: unknown;
}

const openSecurityGroups: Guard = (stack) =>
  resourcesOf(stack, 'AWS::EC2::SecurityGroup', 'AWS::EC2::SecurityGroupIngress').flatMap(([logicalId, { Type, Properties = {} }]) => {
    const rules = (Type === 'AWS::EC2::SecurityGroup' ? (Properties.SecurityGroupIngress ?? []) : [Properties]) as readonly IngressRule[];
    return rules.flatMap(({ CidrIp, CidrIpv6, FromPort }) =>
      [CidrIp, CidrIpv6].filter((cidr) => everybody.has(cidr)).map((cidr) => ({ logicalId, message: `ingress to port ${FromPort === undefined ? 'any' : shown(FromPort)} from ${String(cidr)}: that is everybody; name the addresses or the security group of who it is for` })),
    );
  });

const publicBalancers: Guard = (stack) =>
  resourcesOf(stack, 'AWS::ElasticLoadBalancingV2::LoadBalancer')
    .filter(([, { Properties }]) => Properties?.Scheme !== 'internal')
    .map(([logicalId, { Properties }]) => ({ logicalId, message: `Scheme is ${shown(Properties?.Scheme)}: it would get public addresses; set internetFacing: false` }));

const publicTasks: Guard = (stack) =>
  resourcesOf(stack, 'AWS::ECS::Service').flatMap(([logicalId, { Properties }]) => {
    const { AwsvpcConfiguration } = (Properties?.NetworkConfiguration ?? {}) as { AwsvpcConfiguration?: { AssignPublicIp?: unknown } };
    const value = AwsvpcConfiguration?.AssignPublicIp;
    return value === 'DISABLED' ? [] : [{ logicalId, message: `AssignPublicIp is ${shown(value)}: its tasks could get public addresses; set assignPublicIp: false` }];
  });

const publicFunctions: Guard = (stack) => [
  ...resourcesOf(stack, 'AWS::Lambda::Url')
    .filter(([, { Properties }]) => Properties?.AuthType !== 'AWS_IAM')
    .map(([logicalId, { Properties }]) => ({ logicalId, message: `AuthType is ${shown(Properties?.AuthType)}: anybody could call the function; set authType: FunctionUrlAuthType.AWS_IAM` })),
  ...resourcesOf(stack, 'AWS::Lambda::Permission')
    .filter(([, { Properties }]) => Properties?.Principal === '*')
    .map(([logicalId]) => ({ logicalId, message: 'Principal is "*": anybody could call the function; name the service or the account' })),
];

interface Statement {
  readonly Effect?: unknown;
  readonly Principal?: unknown;
  readonly Condition?: unknown;
}

const openPolicies: Guard = (stack) =>
  Object.entries(stack.template.Resources).flatMap(([logicalId, { Properties = {} }]) =>
    ['KeyPolicy', 'ResourcePolicy', 'PolicyDocument', 'AssumeRolePolicyDocument'].flatMap((property) => {
      const { Statement = [] } = (Properties[property] ?? {}) as { Statement?: Statement | readonly Statement[] };
      return [Statement]
        .flat()
        .filter(({ Effect, Principal, Condition }: Statement) => Effect === 'Allow' && Condition === undefined && isAnybody(Principal))
        .map(({ Principal }: Statement) => ({ logicalId, message: `${property} allows Principal ${shown(Principal)} without a condition: every AWS account may use it; name who may` }));
    }),
  );

function isAnybody(principal: unknown): boolean {
  const aws = typeof principal === 'object' && principal !== null ? (principal as { AWS?: unknown }).AWS : principal;
  return [aws].flat().includes('*');
}
