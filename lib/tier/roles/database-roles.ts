import { join } from 'node:path';

import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { type CfnSecret, type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { CustomResource, Duration, type RemovalPolicy } from 'aws-cdk-lib/core';
import { Provider } from 'aws-cdk-lib/custom-resources';
import { Construct, type IDependable } from 'constructs';

import { connectionsLeftToPooler } from '../../config/connection-budget';
import type { ResolvedTierConfig } from '../../config/resolve-config';
import { databaseEnvironment } from '../database/database.contract';
import { secretDecryption } from '../secret-decryption';
import { TierFunction, type TierFunctionNetwork } from '../tier-function';
import { TierLogGroup } from '../tier-log-group';
import { limitPooledRoles, roleCatalogue, type SecretName, secretNames } from './role-catalogue';
import { roleProperties } from './role-properties';
import { rolesAttributes, rolesEnvironment, rolesResourceType } from './roles.contract';

export interface DatabaseRolesProps {
  /** Where the bootstrap runs; it must reach the primary and Secrets Manager. */
  readonly network: TierFunctionNetwork;
  /** The primary itself, not the pooler. */
  readonly database: { readonly host: string; readonly port: number | string; readonly name: string };
  /** Of the role that RDS made. Only the bootstrap uses it. */
  readonly masterSecret: ISecret;
  /** Encrypts the secrets. */
  readonly encryptionKey: IKey;
  /** What happens to the secrets when the stack is deleted: without them, a database that is kept lets nobody in. */
  readonly secretsRemovalPolicy: RemovalPolicy;
  readonly config: ResolvedTierConfig;
  /** Extensions that must exist in the database. @default ['pg_stat_statements'] */
  readonly extensions?: readonly string[];
}

/** The roles of the database and of the pooler, a secret for each that logs in, and the userlist. */
export class DatabaseRoles extends Construct {
  /** `{ "username", "password" }`, by who reads it. */
  readonly secrets: Readonly<Record<SecretName, Secret>>;
  /** PgBouncer's userlist: verifiers only. Empty until the roles are `ready`. */
  readonly userlistSecret: ISecret;
  /** Changes when the userlist does. Tasks read it once, at their start: a task definition that carries this is replaced. */
  readonly userlistVersion: string;
  /** Depend on this to find the roles in place. */
  readonly ready: IDependable;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: DatabaseRolesProps,
  ) {
    super(scope, id);
    const { database, encryptionKey, config, extensions = ['pg_stat_statements'] } = props;
    const catalogue = limitPooledRoles(roleCatalogue(config, extensions), connectionsLeftToPooler(config));

    const firstOf = (secret: SecretName): string => catalogue.logins.find((login) => login.secret === secret)!.name;
    this.secrets = Object.fromEntries(
      secretNames.map((name) => [name, this.passwordSecret(name, firstOf(name))]),
    ) as Record<SecretName, Secret>;
    this.userlistSecret = this.emptySecret(
      'Userlist',
      "PgBouncer's userlist: SCRAM verifiers, written by the bootstrap of roles",
    );

    const provider = new Provider(this, 'Provider', {
      onEventHandler: this.bootstrap(),
      logGroup: new TierLogGroup(this, 'ProviderLogs', { encryptionKey }),
    });
    const secretArns = Object.fromEntries(secretNames.map((name) => [name, this.secrets[name].secretArn])) as Record<
      SecretName,
      string
    >;
    const roles = new CustomResource(this, 'Resource', {
      resourceType: rolesResourceType,
      serviceToken: provider.serviceToken,
      serviceTimeout: Duration.minutes(10),
      properties: roleProperties(catalogue, secretArns, {
        Database: `${database.host}:${database.port}/${database.name}`,
        Userlist: this.userlistSecret.secretArn,
      }),
    });
    this.userlistVersion = roles.getAttString(rolesAttributes.userlistVersion);
    this.ready = roles;
  }

  private bootstrap(): TierFunction {
    const { network, database, masterSecret, encryptionKey } = this.props;
    const bootstrap = new TierFunction(this, 'Bootstrap', {
      entry: join(__dirname, 'bootstrap.lambda.ts'),
      description: 'creates the roles, grants and extensions of the database, and the userlist of PgBouncer',
      timeout: Duration.minutes(5),
      network,
      encryptionKey,
      environment: {
        [databaseEnvironment.host]: database.host,
        [databaseEnvironment.port]: `${database.port}`,
        [databaseEnvironment.name]: database.name,
        [databaseEnvironment.secretArn]: masterSecret.secretArn,
        [rolesEnvironment.userlistSecretArn]: this.userlistSecret.secretArn,
      },
    });
    for (const secret of [masterSecret, ...Object.values(this.secrets), this.userlistSecret])
      secret.grantRead(bootstrap);
    bootstrap.addToRolePolicy(
      new PolicyStatement({ actions: ['secretsmanager:PutSecretValue'], resources: [this.userlistSecret.secretArn] }),
    );
    bootstrap.addToRolePolicy(secretDecryption(this, encryptionKey, ['kms:Decrypt', 'kms:GenerateDataKey']));
    return bootstrap;
  }

  /**
   * CloudFormation makes a new password whenever `generateSecretString` changes, and the role would not know it: leave
   * it as it is. https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/2210
   */
  private passwordSecret(name: SecretName, username: string): Secret {
    return new Secret(this, `${name[0]!.toUpperCase()}${name.slice(1)}Secret`, {
      description: `user and password of ${username}`,
      encryptionKey: this.props.encryptionKey,
      removalPolicy: this.props.secretsRemovalPolicy,
      generateSecretString: {
        secretStringTemplate: JSON.stringify({ username }),
        generateStringKey: 'password',
        // 44 letters and digits are 261 bits, over the 256 that make SCRAM's iterations needless, and need no escaping
        // in a URL, an ini file or a shell.
        passwordLength: 44,
        excludePunctuation: true,
      },
    });
  }

  /** Neither a value nor a generator in the template, so no deploy can overwrite what the bootstrap put there. */
  private emptySecret(id: string, description: string): Secret {
    const secret = new Secret(this, id, {
      description,
      encryptionKey: this.props.encryptionKey,
      removalPolicy: this.props.secretsRemovalPolicy,
    });
    (secret.node.defaultChild as CfnSecret).generateSecretString = undefined;
    return secret;
  }
}
