import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { build } from 'esbuild';
import { Client } from 'pg';

import { environments } from '../../../lib/config/environments';
import { resolveConfig } from '../../../lib/config/resolve-config';
import type { RolesConfig } from '../../../lib/config/tier-config';
import { AwsEndpoint } from '../../../lib/rehearsal/aws/aws-endpoint';
import { createCustomResource } from '../../../lib/rehearsal/aws/custom-resource';
import { LambdaFunction } from '../../../lib/rehearsal/aws/lambda-function';
import { CertificateAuthority } from '../../../lib/rehearsal/engines/certificate-authority';
import { PostgresServer } from '../../../lib/rehearsal/engines/postgres-server';
import { databaseEnvironment } from '../../../lib/tier/database/database.contract';
import { roleCatalogue, type SecretName, secretNames } from '../../../lib/tier/roles/role-catalogue';
import { roleProperties } from '../../../lib/tier/roles/role-properties';
import { rolesEnvironment, rolesResourceType } from '../../../lib/tier/roles/roles.contract';
import { parseUserlist, type Userlist } from '../../../lib/tier/roles/userlist';

export const arnOf = (name: string): string => `arn:aws:secretsmanager:eu-central-1:000000000000:secret:${name}-AbCdEf`;
const secretArns = Object.fromEntries(secretNames.map((name) => [name, arnOf(name)])) as Record<SecretName, string>;

/** Every kind of character that quoting could get wrong. */
export const oddPassword = (name: string): string => `${name} 'a"b\\c$d$e;f%g:h@i/j?k#l&m=n+o\`p{q}r\ns\tt`;

const databaseName = 'bookedbarber';
const usernames: Record<SecretName, string> = {
  application: 'bookedbarber_app',
  readOnly: 'bookedbarber_readonly',
  migrations: 'bookedbarber_migrations',
  indexes: 'bookedbarber_indexes',
  collector: 'bookedbarber_collector',
  poolerAdmin: 'pgbouncer_admin',
  rotation: 'bookedbarber_rotation',
};

export interface BootstrapChange {
  readonly roles?: RolesConfig;
  readonly extensions?: readonly string[];
  /** Over the function's own. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A database as RDS makes it, secrets as the template does, and the function's own bundle. */
export class DeployedRoles {
  private constructor(
    readonly postgres: PostgresServer,
    readonly aws: AwsEndpoint,
    readonly authority: CertificateAuthority,
    readonly directory: string,
  ) {}

  static async start(address: string): Promise<DeployedRoles> {
    const directory = await mkdtemp(join(tmpdir(), 'roles-'));
    const authority = await CertificateAuthority.create('roles test');
    await writeFile(join(directory, 'ca.pem'), authority.certificatePem);
    await build({
      entryPoints: [join(__dirname, '../../../lib/tier/roles/bootstrap.lambda.ts')],
      outfile: join(directory, 'index.js'),
      bundle: true,
      platform: 'node',
      external: ['pg-native'],
      logLevel: 'error',
    });
    const masterPassword = oddPassword('master');
    const postgres = await PostgresServer.start({
      address,
      tls: authority,
      rds: { masterUsername: `${databaseName}_master`, masterPassword, databaseName },
      parameters: {
        shared_preload_libraries: 'pg_stat_statements',
        'pg_stat_statements.track_utility': 'off',
        log_statement: 'all',
        log_parameter_max_length: '0',
        fsync: 'off',
      },
    });
    const deployed = new DeployedRoles(postgres, await AwsEndpoint.start(address, 8200), authority, directory);
    deployed.aws.secrets.create(arnOf('userlist')); // as the template does: no value
    deployed.putSecret('master', `${databaseName}_master`, masterPassword);
    for (const name of secretNames) deployed.putSecret(name, usernames[name], oddPassword(name));
    return deployed;
  }

  putSecret(name: string, username: string, password: string): void {
    this.aws.secrets.create(arnOf(name), JSON.stringify({ username, password }));
  }

  get userlist(): Userlist {
    return parseUserlist(this.aws.secrets.text(arnOf('userlist')));
  }

  /** A session of the role that the secret names, with the password that it holds. The caller ends it. */
  async logIn(secret: SecretName | 'master', username?: string): Promise<Client> {
    const credentials = this.aws.secrets.json(arnOf(secret));
    const client = new Client({
      host: this.postgres.address,
      port: this.postgres.port,
      database: databaseName,
      user: username ?? credentials.username,
      password: credentials.password,
      ssl: { ca: this.authority.certificatePem },
    });
    await client.connect();
    return client;
  }

  /** Runs statements in a session of their own and returns the rows of the last. */
  async as(secret: SecretName | 'master', ...statements: string[]): Promise<Record<string, unknown>[]> {
    const client = await this.logIn(secret);
    try {
      let rows: Record<string, unknown>[] = [];
      for (const sql of statements) ({ rows } = await client.query<Record<string, unknown>>(sql));
      return rows;
    } finally {
      await client.end();
    }
  }

  /** Everything that the bootstrap decides, as the catalog has it; verifiers of roles that stand in the userlist. */
  catalogState(): Promise<object[]> {
    return this.postgres.query(
      `SELECT 'role' AS what, concat_ws(' ', rolname, rolcanlogin, rolinherit, rolconnlimit, rolcreaterole, rolcreatedb, rolsuper) AS state FROM pg_roles
       UNION ALL SELECT 'verifier', concat_ws(' ', rolname, rolpassword) FROM pg_authid WHERE rolname = ANY($1)
       UNION ALL SELECT 'setting', concat_ws(' ', setrole::regrole, setconfig) FROM pg_db_role_setting
       UNION ALL SELECT 'member', concat_ws(' ', roleid::regrole, member::regrole, grantor::regrole, admin_option, inherit_option, set_option) FROM pg_auth_members
       UNION ALL SELECT 'default', concat_ws(' ', defaclrole::regrole, defaclobjtype, defaclacl) FROM pg_default_acl
       UNION ALL SELECT 'database', concat_ws(' ', datname, datacl) FROM pg_database
       UNION ALL SELECT 'schema', concat_ws(' ', nspname, nspacl) FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp'
       UNION ALL SELECT 'relation', concat_ws(' ', relname, relacl, xmin) FROM pg_class WHERE relnamespace = 'public'::regnamespace
       UNION ALL SELECT 'extension', concat_ws(' ', extname, extowner::regrole) FROM pg_extension
       ORDER BY 1, 2`,
      [[...this.userlist.keys()]],
      databaseName,
    );
  }

  /** What CloudFormation does with the resource; returns its attributes, or throws with the function's message. */
  async bootstrap({ roles, extensions = ['pg_stat_statements'], environment }: BootstrapChange = {}): Promise<
    Record<string, string>
  > {
    const config = resolveConfig('staging', { ...environments.staging, roles });
    const properties = roleProperties(roleCatalogue(config, extensions), secretArns, {
      Database: 'unread',
      Userlist: 'unread',
    });
    const { data } = await createCustomResource(
      { onEvent: (event) => this.invoke(event, environment) },
      {
        logicalId: 'Roles',
        resourceType: rolesResourceType,
        stackName: 'service',
        properties: { ServiceToken: 'arn:token', ...properties },
      },
    );
    return data as Record<string, string>;
  }

  invoke(event: object, environment: BootstrapChange['environment'] = {}): Promise<unknown> {
    const bootstrap = new LambdaFunction(
      {
        functionName: 'bootstrap',
        codeDirectory: this.directory,
        handler: 'index.handler',
        environment: {
          NODE_EXTRA_CA_CERTS: '/var/runtime/ca-cert.pem',
          [databaseEnvironment.host]: this.postgres.address,
          [databaseEnvironment.port]: `${this.postgres.port}`,
          [databaseEnvironment.name]: databaseName,
          [databaseEnvironment.secretArn]: arnOf('master'),
          [rolesEnvironment.userlistSecretArn]: arnOf('userlist'),
          ...environment,
        },
        timeoutSeconds: 60,
      },
      { names: new Map(), runtimeEnvironment: this.aws.environment, authorityFile: join(this.directory, 'ca.pem') },
    );
    return bootstrap.invoke(event);
  }

  async stop(): Promise<void> {
    await this.aws.stop();
    await this.postgres.stop();
    await rm(this.directory, { recursive: true, force: true });
  }
}
