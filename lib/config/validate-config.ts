import { indexProblems } from '../tier/indexes/index-catalogue';
import { certificateProblems } from '../tier/pooler/certificate-problems';
import { drainProblems } from '../tier/pooler/drain';
import { poolerSettingProblems } from '../tier/pooler/pgbouncer-settings';
import { roleProblems } from '../tier/roles/role-problems';
import { type ConfigProblem, Problems } from './config-problems';
import { connectionBudget } from './connection-budget';
import type { ResolvedTierConfig } from './resolve-config';
import { databaseProblems, replicaProblems, storageProblems } from './validate-database';

/** A configuration that cannot be deployed, with every problem in the message. */
export class InvalidConfigError extends Error {
  constructor(
    readonly environmentName: string,
    readonly problems: readonly ConfigProblem[],
  ) {
    super(describeProblems([{ environmentName, problems }]));
    this.name = 'InvalidConfigError';
  }
}

interface EnvironmentProblems {
  readonly environmentName: string;
  readonly problems: readonly ConfigProblem[];
}

/** A line for each problem, under the environments that have it: a list that they share is wrong once. */
export function describeProblems(environments: readonly EnvironmentProblems[]): string {
  const namesOf = new Map<string, readonly string[]>();
  for (const { environmentName, problems } of environments) {
    for (const line of problems.map(({ field, message }) => `  ${field}: ${message}`)) namesOf.set(line, [...new Set([...(namesOf.get(line) ?? []), `"${environmentName}"`])]);
  }
  const linesOf = new Map<string, readonly string[]>();
  for (const [line, names] of namesOf) {
    const who = names.length === 1 ? `environment ${names[0]} has` : `environments ${names.join(', ')} have`;
    linesOf.set(who, [...(linesOf.get(who) ?? []), line]);
  }
  return [...linesOf].map(([who, lines]) => [`${who} ${lines.length === 1 ? '1 problem' : `${lines.length} problems`}:`, ...lines].join('\n')).join('\n');
}

/**
 * Judges a configuration before any construct is made.
 *
 * @throws InvalidConfigError with all problems at once
 */
export function validateConfig(config: ResolvedTierConfig): void {
  const problems = configProblems(config);
  if (problems.length > 0) throw new InvalidConfigError(config.environmentName, problems);
}

/** Every problem of the configuration; none if it can be deployed. */
export function configProblems(config: ResolvedTierConfig): readonly ConfigProblem[] {
  return [
    ...placeProblems(config),
    ...networkProblems(config.network),
    ...databaseProblems(config.database),
    ...storageProblems(config.database.storage),
    ...replicaProblems(config),
    ...poolerProblems(config),
    ...roleProblems(config),
    ...indexConfigProblems(config),
    ...monitoringProblems(config.monitoring),
    ...tagProblems(config),
  ];
}

function indexConfigProblems({ indexes, retiredIndexes, indexTablesAtOnce }: ResolvedTierConfig): ConfigProblem[] {
  const found = new Problems();
  for (const message of indexProblems(indexes, retiredIndexes)) found.add('indexes', message);
  found.range('indexTablesAtOnce', indexTablesAtOnce, 1, 8, 'tables');
  return found.all;
}

/** https://docs.aws.amazon.com/general/latest/gr/aws_tagging.html */
function tagProblems({ tags }: ResolvedTierConfig): ConfigProblem[] {
  const found = new Problems();
  for (const [key, value] of Object.entries(tags)) {
    if (/^aws:/i.test(key)) found.add(`tags.${key}`, `"${key}" begins with "aws:", which AWS keeps for itself; choose another`);
    if (key.length < 1 || key.length > 128) found.add(`tags.${key}`, `the key has ${key.length} characters; AWS takes 1 to 128`);
    if (value.length > 256) found.add(`tags.${key}`, `the value has ${value.length} characters; AWS takes up to 256`);
  }
  return found.all;
}

function monitoringProblems({ alarmEmails }: ResolvedTierConfig['monitoring']): ConfigProblem[] {
  const found = new Problems();
  for (const email of alarmEmails) if (!/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(email)) found.add('monitoring.alarmEmails', `"${email}" is not an email address`);
  return found.all;
}

function placeProblems({ account, region, environmentName }: ResolvedTierConfig): ConfigProblem[] {
  const found = new Problems();
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(environmentName)) {
    found.add('(name)', `"${environmentName}" cannot be part of a stack's name; use up to 31 lower-case letters, digits and hyphens`);
  }
  if (account !== undefined && !/^\d{12}$/.test(account)) found.add('account', `"${account}" is not an AWS account; it has 12 digits`);
  if (region !== undefined && !/^[a-z]{2}(-[a-z]+)+-\d$/.test(region)) {
    found.add('region', `"${region}" is not an AWS region; it looks like "eu-central-1"`);
  }
  return found.all;
}

function networkProblems(network: ResolvedTierConfig['network']): ConfigProblem[] {
  const found = new Problems();
  const block = cidrBlock(network.cidr);
  if (block === undefined || block.prefix < 16 || block.prefix > 23) {
    found.add('network.cidr', `"${network.cidr}" is not an IPv4 block of /16 to /23; six subnets of /26 must fit, for example "10.20.0.0/16"`);
  } else if (block.canonical !== network.cidr) found.add('network.cidr', `"${network.cidr}" does not begin with its network; write "${block.canonical}"`);
  for (const list of ['applications', 'migrationClients'] as const) {
    for (const [name, peer] of Object.entries(network[list])) {
      const field = `network.${list}.${name}`;
      if (/^sg-[0-9a-f]{8,17}$/.test(peer)) continue;
      const peerBlock = cidrBlock(peer);
      if (peerBlock === undefined) {
        found.add(field, `"${peer}" is neither an IPv4 CIDR block like "10.30.0.0/16" nor a security group like "sg-0123456789abcdef0"`);
      } else if (peerBlock.prefix < widestPrivatePrefix) {
        found.add(field, `"${peer}" is ${peerBlock.prefix === 0 ? 'everybody' : `wider than any private network, /${widestPrivatePrefix}`}; name the range or the security group of the application`);
      } else if (peerBlock.canonical !== peer) found.add(field, `"${peer}" does not begin with its network; write "${peerBlock.canonical}"`);
    }
  }
  return found.all;
}

function poolerProblems(config: ResolvedTierConfig): ConfigProblem[] {
  const found = new Problems();
  const { pooler } = config;
  found.range('pooler.minTasks', pooler.minTasks, 1, 100, 'tasks');
  found.range('pooler.maxTasks', pooler.maxTasks, 1, 100, 'tasks');
  if (pooler.maxTasks < pooler.minTasks) {
    found.add('pooler.maxTasks', `${pooler.maxTasks} is below minTasks (${pooler.minTasks}); raise it to at least that`);
  }
  found.range('pooler.targetCpuPercent', pooler.targetCpuPercent, 10, 90, 'percent');
  found.range('pooler.maxClientConnections', pooler.maxClientConnections, 1, 1_000_000, 'connections');
  found.oneOf('pooler.taskCpu', pooler.taskCpu, [256, 512, 1024]);
  const memory = fargateMemoryMiB[pooler.taskCpu];
  if (memory && !memory.includes(pooler.taskMemoryMiB)) {
    found.add('pooler.taskMemoryMiB', `${pooler.taskMemoryMiB} does not go with taskCpu ${pooler.taskCpu} on Fargate; choose one of ${memory.join(', ')}`);
  }
  for (const [field, message] of pooler.certificateSecret ? certificateProblems(pooler.certificateSecret) : []) {
    found.add(`pooler.certificateSecret.${field}`, message);
  }
  if (found.all.length > 0) return found.all; // the budget of nonsense is nonsense
  for (const message of connectionBudget(config).problems) found.add('pooler', message);
  for (const message of drainProblems(config.roles.applicationTransactionTimeoutMs)) found.add('roles.applicationTransactionTimeoutMs', message);
  for (const message of poolerSettingProblems(pooler)) found.add('pooler.settings', message);
  return found.all;
}

/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-size */
const fargateMemoryMiB: Readonly<Record<number, readonly number[]>> = {
  256: [512, 1024, 2048],
  512: [1024, 2048, 3072, 4096],
  1024: [2048, 3072, 4096, 5120, 6144, 7168, 8192],
};

/** 10.0.0.0/8, see https://www.rfc-editor.org/rfc/rfc1918#section-3 */
const widestPrivatePrefix = 8;

function cidrBlock(cidr: string): { readonly prefix: number; readonly canonical: string } | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(cidr);
  if (!match) return undefined;
  const octets = match.slice(1, 5).map(Number);
  const prefix = Number(match[5]);
  if (octets.some((octet) => octet > 255) || prefix > 32) return undefined;
  const network = octets.map((octet, position) => octet & (0xff00 >> Math.min(8, Math.max(0, prefix - 8 * position))));
  return { prefix, canonical: `${network.join('.')}/${prefix}` };
}
