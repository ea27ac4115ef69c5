import { type IPeer, type ISecurityGroup, type IVpc, Peer, Port, SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';

import { type Access, type Party, parties } from './access-list';

export interface AccessControlProps {
  readonly vpc: IVpc;
  readonly accessList: readonly Access[];
  /**
   * The security group of the interface endpoints, if AWS is reached through them.
   *
   * @default - AWS is reached through NAT: port 443 to anywhere
   */
  readonly endpointSecurityGroup?: ISecurityGroup;
}

/** A security group for each party, and exactly the rules of the access list. */
export class AccessControl extends Construct {
  readonly securityGroups: Readonly<Record<Party, SecurityGroup>>;

  constructor(scope: Construct, id: string, props: AccessControlProps) {
    super(scope, id);
    const group = (party: Party): SecurityGroup =>
      new SecurityGroup(this, party, { vpc: props.vpc, description: `${party} of the database tier`, allowAllOutbound: false });
    this.securityGroups = Object.fromEntries(parties.map((party) => [party, group(party)])) as Record<Party, SecurityGroup>;

    for (const { from, to, port, why } of props.accessList) {
      const tcp = Port.tcp(port);
      if (typeof from === 'object') {
        this.groupOf(to).addIngressRule(outsiderPeer(from.peer), tcp, why);
      } else if (to === 'aws') {
        this.groupOf(from).addEgressRule(props.endpointSecurityGroup ?? Peer.anyIpv4(), tcp, why);
        props.endpointSecurityGroup?.addIngressRule(this.groupOf(from), tcp, why);
      } else {
        this.groupOf(from).addEgressRule(this.groupOf(to), tcp, why);
        this.groupOf(to).addIngressRule(this.groupOf(from), tcp, why);
      }
    }
  }

  private groupOf(party: Access['to']): SecurityGroup {
    if (party === 'aws') throw new Error('an outsider cannot be given access to AWS: the access list is wrong');
    return this.securityGroups[party];
  }
}

function outsiderPeer(peer: string): IPeer {
  return peer.startsWith('sg-') ? Peer.securityGroupId(peer) : Peer.ipv4(peer);
}
