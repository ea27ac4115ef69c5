import type { ResolvedTierConfig } from '../../config/resolve-config';
import { type Acknowledgement, anyVersionOf, inlinePolicy, managedPolicy, nist, solutions } from './acknowledgement';

/** A function of the tier, and what stands in for the rules that it does not follow. */
interface TierFunctionFacts {
  /** Below the service stack. */
  readonly path: string;
  readonly mayDo: string;
  /** Why no more of it run at once than the tier can bear, without a reservation. */
  readonly atOnce: string;
  /** Who hears of a call that failed, without a dead-letter queue. */
  readonly whenItFails: string;
  /** Actions that name no resource, and how they are restricted. */
  readonly onEverything?: string;
}

const describesInstances = 'rds:DescribeDBInstances only, which cannot be restricted to some instances by a caller that lists them; it reads no data.';
const listsTasks = "ecs:ListTasks names no resource, and tasks have no name before they run: a condition restricts both to the pooler's cluster. Describing instances cannot be restricted to some of them.";
const tasksOfTheCluster = 'IAM5[Resource::arn:<AWS::Partition>:ecs:<AWS::Region>:<AWS::AccountId>:task/<PoolerClusterDE2A9260>/*]';

const rotation: TierFunctionFacts = {
  path: 'Rotation/Function',
  mayDo: "the rotated secrets and the userlist are read and written, and the pooler's tasks replaced",
  atOnce: 'Secrets Manager calls it once for each step of a secret, and a lock in the database lets one at a time change a password; the budget of connections counts it.',
  whenItFails: 'Secrets Manager calls it again and records each failure in CloudTrail; what is half done goes on where it was, and the password in use stays valid.',
  onEverything: listsTasks,
};

const functions: readonly TierFunctionFacts[] = [
  {
    path: 'Roles/Bootstrap',
    mayDo: "the master's secret and those of the roles are read, and the userlist written",
    atOnce: 'CloudFormation calls it, once in a deploy of this stack, and a lock in the database makes a second one wait; the budget of connections counts it.',
    whenItFails: 'Its caller waits for the answer: a failure fails the deploy, with its message as the reason.',
  },
  {
    path: 'Indexes/OnEvent',
    mayDo: 'one secret is read, and instances described',
    atOnce: 'CloudFormation calls it, once in a deploy of this stack; builds take a lock for each table in the database, whoever starts them.',
    whenItFails: 'Its caller waits for the answer: a failure fails the deploy, with its message as the reason.',
    onEverything: describesInstances,
  },
  {
    path: 'Indexes/IsComplete',
    mayDo: 'one secret is read, and instances described',
    atOnce: 'One waiter calls it, 15 seconds after its last answer; builds take a lock for each table in the database, whoever starts them.',
    whenItFails: 'The waiter calls it again, and after its last try fails the deploy.',
    onEverything: describesInstances,
  },
  {
    path: 'Indexes/Tick',
    mayDo: 'one secret is read, and instances described',
    atOnce: 'One schedule calls it, every five minutes, without tries in between; builds take a lock for each table in the database, whoever starts them.',
    whenItFails: 'The next call, five minutes later, finds everything in the database and goes on; alarms tell of indexes that stay unfinished or have failed.',
    onEverything: describesInstances,
  },
  {
    path: 'Monitoring/Collector',
    mayDo: "one secret is read, and the pooler's tasks listed and described",
    atOnce: 'One schedule calls it, every minute, and it ends after 50 seconds: never two.',
    whenItFails: 'A call that is a minute late is worth nothing. Its metrics are then missing, which is itself an alarm.',
    onEverything: listsTasks,
  },
  {
    path: 'Monitoring/Diagnosis',
    mayDo: "one secret is read, and instances and the pooler's tasks described",
    atOnce: 'People call it by hand, npm run diagnose, and it ends after 60 seconds; its role in the database has a limit of connections.',
    whenItFails: 'Who calls it waits for the answer and sees the error.',
    onEverything: listsTasks,
  },
  {
    path: 'SmokeCheck/Check',
    mayDo: 'one secret is read, and instances described',
    atOnce: 'CloudFormation calls it, once at the end of a deploy; it is one client of the pooler among many.',
    whenItFails: 'Its caller waits for the answer: a failure fails the deploy, with its message as the reason.',
    onEverything: describesInstances,
  },
];

/** Functions of aws-cdk-lib's provider framework, and the functions that each may invoke, by logical id. */
const framework: Readonly<Record<string, readonly string[]>> = {
  'Roles/Provider/framework-onEvent': ['RolesBootstrapC8BDB062'],
  'Indexes/Provider/framework-onEvent': ['IndexesOnEventC3115923', 'IndexesIsComplete2DDAC337'],
  'Indexes/Provider/framework-isComplete': ['IndexesOnEventC3115923', 'IndexesIsComplete2DDAC337'],
  'Indexes/Provider/framework-onTimeout': ['IndexesOnEventC3115923', 'IndexesIsComplete2DDAC337'],
  'SmokeCheck/Provider/framework-onEvent': ['SmokeCheckB8378F13'],
};

/** What is accepted of every function in the service stack. */
export function functionAcknowledgements({ roles }: ResolvedTierConfig): readonly Acknowledgement[] {
  const all = 'off' in roles.passwordRotation ? functions : [...functions, rotation];
  return [...all.flatMap(ofTierFunction), ...Object.entries(framework).flatMap(ofFramework)];
}

function ofTierFunction({ path, mayDo, atOnce, whenItFails, onEverything }: TierFunctionFacts): readonly Acknowledgement[] {
  const role = `service/${path}/ServiceRole`;
  return [
    {
      path: `${role}/Resource`,
      rules: solutions(managedPolicy('AWSLambdaBasicExecutionRole'), managedPolicy('AWSLambdaVPCAccessExecutionRole')),
      reason: 'The policies that Lambda documents for a function in a VPC: its own log, and network interfaces. Lambda alone may assume the role.',
    },
    inlinePolicy(role, mayDo),
    ...(onEverything === undefined ? [] : [{ path: `${role}/DefaultPolicy/Resource`, rules: solutions('IAM5[Resource::*]', ...(onEverything === listsTasks ? [tasksOfTheCluster] : [])), reason: onEverything }]),
    { path: `service/${path}/Resource`, rules: nist('LambdaConcurrency'), reason: `${atOnce} Reserved concurrency is refused by accounts that have the least of it, and taken from others.` },
    { path: `service/${path}/Resource`, rules: nist('LambdaDLQ'), reason: whenItFails },
  ];
}

function ofFramework([path, invoked]: readonly [string, readonly string[]]): readonly Acknowledgement[] {
  const role = `service/${path}/ServiceRole`;
  return [
    {
      path: `${role}/Resource`,
      rules: solutions(managedPolicy('AWSLambdaBasicExecutionRole')),
      reason: 'The policy that Lambda documents for a function that writes its own log; Lambda alone may assume the role.',
    },
    {
      path: `${role}/DefaultPolicy/Resource`,
      rules: solutions(...invoked.map(anyVersionOf)),
      reason: `Of all functions it may invoke ${invoked.length === 1 ? 'this one' : 'these two'}, which it stands before; that a function has versions is what the asterisk says.`,
    },
    inlinePolicy(role, 'the function that it stands before is invoked'),
    {
      path: `service/${path}/Resource`,
      rules: nist('LambdaInsideVPC'),
      reason: "Passes a resource's properties, which are in the template and hold no secret, between CloudFormation and a function that is in the VPC; it reaches no database. Inside, it would need a way out to CloudFormation's addresses in S3.",
    },
    {
      path: `service/${path}/Resource`,
      rules: nist('LambdaConcurrency'),
      reason: 'CloudFormation or its waiter calls it, a few times in a deploy, and a stack has one deploy at a time.',
    },
    {
      path: `service/${path}/Resource`,
      rules: nist('LambdaDLQ'),
      reason: 'CloudFormation waits for its answer: an error is answered with its message, and silence fails the deploy when the time of the resource is up.',
    },
  ];
}
