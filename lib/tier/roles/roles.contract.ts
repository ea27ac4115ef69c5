/** Type of the custom resource that brings the roles of the database to what its properties say. */
export const rolesResourceType = 'Custom::PostgresRoles';

/** Environment variables of its function besides those of `database.contract.ts`, whose secret is the master's. */
export const rolesEnvironment = {
  /** ARN of the secret that holds PgBouncer's userlist. */
  userlistSecretArn: 'USERLIST_SECRET_ARN',
} as const;

/** Environment variables of the function that rotates passwords, besides those and the ones of its role's secret. */
export const rotationEnvironment = {
  /** What it must know of each secret, as JSON by the secret's ARN. */
  rotatedSecrets: 'ROTATED_SECRETS',
  /** Name of the ECS cluster, and of the service in it. */
  cluster: 'POOLER_CLUSTER',
  service: 'POOLER_SERVICE',
  poolerPort: 'POOLER_PORT',
} as const;

/** Attributes that the function returns, for `Fn::GetAtt`. */
export const rolesAttributes = {
  /** Version of the userlist secret: changes when, and only when, the userlist did. */
  userlistVersion: 'UserlistVersion',
  /** What the bootstrap found and may not change, a line each; empty if all is well. */
  warnings: 'Warnings',
} as const;

/**
 * Properties of the custom resource: these, and one for each role under the role's own name, so that `cdk diff` shows
 * which role changes and how. CloudFormation hands every scalar on as a string.
 */
export interface RolesProperties {
  /** `host:port/name`. Not read: another database is another value, and so gets its roles. */
  readonly Database: string;
  /** ARN of the userlist secret. Not read either, for the same reason. */
  readonly Userlist: string;
  /** Extensions that must exist. */
  readonly Extensions: readonly string[];
  /** Group role that owns what migrations create. */
  readonly Owner: string;
  /** Group role that may write the table of the smoke check. */
  readonly SmokeTableWriter?: string;
  readonly [roleName: string]: unknown;
}

/** A role that nobody logs in to, and what it may do; its members inherit that. */
export interface GroupRoleProperties {
  /** Privileges on the database. */
  readonly Database: readonly string[];
  /** Privileges on schema public and on every schema that the owner makes. */
  readonly Schemas: readonly string[];
  /** Privileges on the tables there. */
  readonly Tables: readonly string[];
  /** Privileges on the sequences there. */
  readonly Sequences: readonly string[];
}

/** A role that logs in, to the database, to the pooler, or to both. */
export interface LoginRoleProperties {
  /** `database`, `pooler`, or both: a role of the pooler stands in its userlist. */
  readonly LogsInTo: readonly string[];
  readonly MemberOf: readonly string[];
  /** ARN of the secret with its password; two roles that take turns name the same one. */
  readonly Secret: string;
  readonly ScramIterations: string;
  /** `-1` is no limit. */
  readonly ConnectionLimit: string;
  /** Server settings of its sessions. */
  readonly Settings: Readonly<Record<string, string>>;
  /** Roles whose password it may set. Absent if there is none. */
  readonly Administers?: readonly string[];
}
