import type { ResolvedTierConfig } from '../../config/resolve-config';
import { type Acknowledgement, anyVersionOf, inlinePolicy, nist, solutions } from './acknowledgement';
import { functionAcknowledgements } from './function-acknowledgements';

/** What is accepted in the service stack. */
export function serviceAcknowledgements(config: ResolvedTierConfig): readonly Acknowledgement[] {
  return [...functionAcknowledgements(config), ...waiter, ...pooler, ...secrets(config)];
}

/** The state machine by which aws-cdk-lib's provider framework waits for the indexes. */
const waiter: readonly Acknowledgement[] = [
  {
    path: 'service/Indexes/Provider/waiter-state-machine/Role/DefaultPolicy/Resource',
    rules: solutions(...['IndexesProviderframeworkisCompleteE85E775A', 'IndexesProviderframeworkonTimeout9F339837'].map(anyVersionOf)),
    reason: 'Of all functions it may invoke two, which belong to it and ask for nothing but the state of a deploy; that they have versions is what the asterisk says.',
  },
  inlinePolicy('service/Indexes/Provider/waiter-state-machine/Role', 'its own two functions are invoked'),
  {
    path: 'service/Indexes/Provider/waiter-state-machine/Resource',
    rules: solutions('SF1', 'SF2'),
    reason: 'It only calls two functions again and again during a deploy. They log every call with its outcome, encrypted, for three months, and CloudFormation keeps the result; there is nothing to trace across.',
  },
];

const pooler: readonly Acknowledgement[] = [
  {
    path: 'service/Pooler/Task/ExecutionRole/DefaultPolicy/Resource',
    rules: solutions('IAM5[Resource::*]'),
    reason: 'ecr:GetAuthorizationToken only, which has no resource to be restricted to; images are pulled from one repository.',
  },
  inlinePolicy('service/Pooler/Task/ExecutionRole', 'the image is pulled, the log written and the userlist of verifiers read'),
  {
    path: 'service/Pooler/Task/Resource',
    rules: solutions('ECS2'),
    reason: "PgBouncer's settings, meant to be read in a diff; the userlist comes from Secrets Manager, and a guard refuses whatever looks like a secret in an environment.",
  },
  {
    path: 'service/Pooler/Balancer/Resource',
    rules: [...solutions('ELB2'), ...nist('ELBLoggingEnabled')],
    reason: 'A network load balancer logs TLS listeners only, and this one relays TCP. Flow logs of the VPC show who connects, and PgBouncer logs every login with its user and address.',
  },
  {
    path: 'service/Pooler/Balancer/Resource',
    rules: nist('ELBDeletionProtectionEnabled'),
    reason: 'Keeps nothing, is made anew by a deploy and found through SSM; with protection, a first deploy that fails could not be rolled back. The review counts its removal or replacement as downtime, which stops a change in CI until it is acknowledged.',
  },
  {
    path: 'service/Pooler/Balancer/Listener/Resource',
    rules: nist('ELBv2ACMCertificateRequired'),
    reason: "TLS goes through to PgBouncer, which refuses clients without (client_tls_sslmode) and can show the team's own certificate (pooler.certificateSecret). Ended here, sessions would be in the clear behind the balancer, and PostgreSQL's clients ask for TLS in a way that its listeners do not speak.",
  },
];

const passwords = ['ApplicationSecret', 'ReadOnlySecret', 'MigrationsSecret', 'IndexesSecret', 'CollectorSecret', 'PoolerAdminSecret', 'RotationSecret'];

function secrets({ roles: { passwordRotation } }: ResolvedTierConfig): readonly Acknowledgement[] {
  const unrotated = [...solutions('SMG4'), ...nist('SecretsManagerRotationEnabled')];
  return [
    {
      path: 'service/Roles/Userlist/Resource',
      rules: unrotated,
      reason: 'Holds verifiers only, from which no password can be had. Bootstrap and rotation rewrite it whenever a password changes.',
    },
    ...('off' in passwordRotation
      ? passwords.map((id) => ({ path: `service/Roles/${id}/Resource`, rules: unrotated, reason: `Rotation is switched off in environments.ts: ${passwordRotation.off}. Each reader has a role of its own with the rights that it needs, and CloudTrail records each read.` }))
      : []),
  ];
}
