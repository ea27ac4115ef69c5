import {
  type GroupRole,
  type LoginRole,
  type LoginTarget,
  managedSettings,
  type PrivilegeTarget,
  type RoleCatalogue,
  type SecretName,
} from './role-catalogue';
import type { GroupRoleProperties, LoginRoleProperties, RolesProperties } from './roles.contract';

/** The catalogue as properties of the custom resource, a property for each role. */
export function roleProperties(
  catalogue: RoleCatalogue,
  secretArns: Readonly<Record<SecretName, string>>,
  places: Pick<RolesProperties, 'Database' | 'Userlist'>,
): RolesProperties {
  return {
    Database: places.Database,
    Userlist: places.Userlist,
    Extensions: catalogue.extensions,
    Owner: catalogue.owner,
    ...(catalogue.smokeTableWriter && { SmokeTableWriter: catalogue.smokeTableWriter }),
    ...Object.fromEntries(catalogue.groups.map((group) => [group.name, groupProperties(group)])),
    ...Object.fromEntries(
      catalogue.logins.map((login) => [login.name, loginProperties(login, secretArns[login.secret])]),
    ),
  };
}

/**
 * Reads the catalogue back from the properties of an event. The secrets are ARNs here.
 *
 * @throws Error that names the property and what it should be
 */
export function catalogueFromProperties(properties: Readonly<Record<string, unknown>>): RoleCatalogue<string> {
  const owner = String(properties.Owner);
  const groups: GroupRole[] = [];
  const logins: LoginRole<string>[] = [];
  for (const [name, property] of Object.entries(properties)) {
    if (!isRoleName(name)) continue;
    const role = property as Partial<GroupRoleProperties & LoginRoleProperties>;
    if (role.LogsInTo) logins.push(readLogin(name, role as LoginRoleProperties));
    else groups.push(readGroup(name, role as GroupRoleProperties));
  }
  if (!groups.some((group) => group.name === owner)) {
    throw new Error(
      `property Owner is "${owner}", which is none of the group roles ${groups.map(({ name }) => name).join(', ')}`,
    );
  }
  const smokeTableWriter = properties.SmokeTableWriter as string | undefined;
  if (smokeTableWriter !== undefined && !groups.some(({ name }) => name === smokeTableWriter)) {
    throw new Error(`property SmokeTableWriter is "${smokeTableWriter}", which is none of the group roles ${groups.map(({ name }) => name).join(', ')}`);
  }
  return { owner, groups, logins, extensions: readList(properties.Extensions, 'Extensions'), ...(smokeTableWriter && { smokeTableWriter }) };
}

/** Every other property, CloudFormation's own included, begins with a capital. */
function isRoleName(property: string): boolean {
  return /^[a-z_]/.test(property);
}

function groupProperties({ privileges }: GroupRole): GroupRoleProperties {
  return {
    Database: privileges.database,
    Schemas: privileges.schemas,
    Tables: privileges.tables,
    Sequences: privileges.sequences,
  };
}

function loginProperties(login: LoginRole, secretArn: string): LoginRoleProperties {
  return {
    LogsInTo: login.logsInTo,
    MemberOf: login.memberOf,
    Secret: secretArn,
    ScramIterations: `${login.scramIterations}`,
    ConnectionLimit: `${login.connectionLimit}`,
    Settings: { ...login.settings },
    ...(login.administers && { Administers: login.administers }),
  };
}

function readGroup(name: string, group: GroupRoleProperties): GroupRole {
  const privileges = (property: keyof GroupRoleProperties): readonly string[] => {
    const list = readList(group[property], `${name}.${property}`);
    const unknown = list.find((privilege) => !/^[A-Z]+$/.test(privilege));
    if (unknown !== undefined)
      throw new Error(`property ${name}.${property} has "${unknown}", which is no privilege of PostgreSQL`);
    return list;
  };
  return {
    name,
    privileges: {
      database: privileges('Database'),
      schemas: privileges('Schemas'),
      tables: privileges('Tables'),
      sequences: privileges('Sequences'),
    } satisfies Record<PrivilegeTarget, readonly string[]>,
  };
}

function readLogin(name: string, login: LoginRoleProperties): LoginRole<string> {
  const settings = login.Settings ?? {};
  const unmanaged = Object.keys(settings).find((setting) => !(managedSettings as readonly string[]).includes(setting));
  if (unmanaged !== undefined) {
    throw new Error(
      `property ${name}.Settings has "${unmanaged}"; the bootstrap sets only ${managedSettings.join(', ')}`,
    );
  }
  return {
    name,
    logsInTo: readList(login.LogsInTo, `${name}.LogsInTo`) as readonly LoginTarget[],
    memberOf: readList(login.MemberOf, `${name}.MemberOf`),
    secret: login.Secret,
    scramIterations: readInteger(login.ScramIterations, `${name}.ScramIterations`),
    connectionLimit: readInteger(login.ConnectionLimit, `${name}.ConnectionLimit`),
    settings,
    ...(login.Administers && { administers: readList(login.Administers, `${name}.Administers`) }),
  };
}

function readList(value: unknown, property: string): readonly string[] {
  if (!Array.isArray(value)) throw new Error(`property ${property} is ${JSON.stringify(value)}, not a list`);
  return value.map(String);
}

function readInteger(value: unknown, property: string): number {
  const number = Number(value);
  if (!Number.isInteger(number))
    throw new Error(`property ${property} is ${JSON.stringify(value)}, not a whole number`);
  return number;
}
