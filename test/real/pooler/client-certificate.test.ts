import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ECSClient } from '@aws-sdk/client-ecs';
import type { Template } from 'aws-cdk-lib/assertions';

import { resolveIntrinsics } from '../../../lib/assembly/resolve-intrinsics';
import { AwsEndpoint } from '../../../lib/rehearsal/aws/aws-endpoint';
import { SecretsManager } from '../../../lib/rehearsal/aws/secrets-manager';
import { makeCertificateSecret } from '../../../lib/rehearsal/deployment/certificate-secret';
import { readContainerSecret } from '../../../lib/rehearsal/deployment/container-secrets';
import { CertificateAuthority } from '../../../lib/rehearsal/engines/certificate-authority';
import { run } from '../../../lib/rehearsal/engines/child';
import { debianTools } from '../../../lib/rehearsal/engines/debian-tools';
import { connectTo } from '../../../lib/rehearsal/drills/pooler-console';
import { connectionEnvironment } from '../../../lib/rehearsal/load/pgbench';
import { databaseEnvironment } from '../../../lib/tier/database/database.contract';
import { observerEnvironment } from '../../../lib/tier/monitoring/monitoring.contract';
import { tierSources } from '../../../lib/tier/monitoring/tier-sources';
import { connectPooler, poolerVerification } from '../../../lib/tier/pooler/connect-pooler';
import { poolerEnvironment, poolerVerificationEnvironment } from '../../../lib/tier/pooler/pooler.contract';
import { RotationPooler } from '../../../lib/tier/roles/rotation-pooler';
import { poolerTemplate } from '../../tier/pooler/pooler-stack';
import { password, templateEnvironment } from './pooled-databases';
import { PoolerProcess } from './pooler-process';

const address = '127.33.62.1';
const hostName = 'pooler.bookedbarber.internal';
const { clientTlsCertificate, clientTlsKey, clientTlsHost, clientTlsAuthorities, serverTlsCaFile } = poolerEnvironment;

let directory: string;
let authority: CertificateAuthority;
let pooler: PoolerProcess;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'client-certificate-'));
  authority = await CertificateAuthority.create('the team');
  await writeFile(join(directory, 'team.pem'), authority.certificatePem);
  const other = await CertificateAuthority.create('somebody else');
  await writeFile(join(directory, 'other.pem'), other.certificatePem);
  // While one takes the place of the other.
  await writeFile(join(directory, 'both.pem'), other.certificatePem + authority.certificatePem);
  pooler = await PoolerProcess.start(address, await taskEnvironment());
});
afterAll(async () => {
  await pooler?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** What a task of such a service is given: the secret's fields are taken as ECS takes them. */
async function taskEnvironment(): Promise<Readonly<Record<string, string>>> {
  const change = { certificateSecret: { secret: 'bookedbarber/pooler', hostName, authorities: authority.certificatePem, certificateField: 'chain', privateKeyField: 'key' } };
  const secrets = new SecretsManager();
  const container = containerOf(poolerTemplate(change));
  await makeCertificateSecret(container, { authority, aws: { secrets } });
  const references = container.Secrets.filter(({ Name }) => Name !== poolerEnvironment.userlist);
  return {
    ...templateEnvironment(change),
    ...Object.fromEntries(references.map(({ Name, ValueFrom }) => [Name, readContainerSecret(secrets, ValueFrom)])),
    [serverTlsCaFile]: join(__dirname, '../../../assets/pgbouncer/rds-ca.pem'),
  };
}

interface Container {
  readonly Environment: readonly { readonly Name: string; readonly Value: string }[];
  readonly Secrets: readonly { readonly Name: string; readonly ValueFrom: string }[];
}

function containerOf(template: Template): Container {
  const [task] = Object.values(template.findResources('AWS::ECS::TaskDefinition'));
  const known = { ref: (name: string) => ({ 'AWS::Partition': 'aws', 'AWS::Region': 'eu-central-1', 'AWS::AccountId': '000000000000' })[name] ?? name, attribute: () => 'x', stackOutput: () => 'x' };
  return resolveIntrinsics(task!.Properties.ContainerDefinitions[0], known, 'the container') as Container;
}

/** What the collector is told besides: no instance is asked here. */
const observerVariables = {
  [databaseEnvironment.secretArn]: 'collector',
  [databaseEnvironment.port]: '5432',
  [databaseEnvironment.name]: 'bookedbarber',
  [observerEnvironment.instances]: 'primary=nobody.internal',
  [observerEnvironment.poolerPort]: '6432',
  [observerEnvironment.cluster]: 'cluster',
  [observerEnvironment.service]: 'Pooler',
};

const fail = (problem: string): never => {
  throw new Error(problem);
};

/** By libpq, as applications connect. */
async function logIn(host: string, authorityFile: string, hostAddress = address): Promise<string> {
  const { psql } = await debianTools();
  const target = `host=${host} hostaddr=${hostAddress} port=6432 dbname=pgbouncer user=pgbouncer_admin sslmode=verify-full sslrootcert=${join(directory, authorityFile)}`;
  const { stdout } = await run({ name: 'psql', command: psql.command, args: [...psql.args, '-XAtc', 'SHOW VERSION', target], environment: { PGPASSWORD: password } });
  return stdout.trim();
}

describe("a pooler with the team's own certificate", () => {
  it('is verified by clients that know its authority and its name', async () => {
    for (const authorities of ['team.pem', 'both.pem']) expect(await logIn(hostName, authorities)).toMatch(/^PgBouncer 1\./);
  });

  it('is verified by pgbench and node-postgres as a rehearsal connects, whatever the address', async () => {
    const target = { addresses: [address, address], port: 6432, database: 'pgbouncer', user: 'pgbouncer_admin', password, verification: { hostName, authorityFile: join(directory, 'team.pem') } };
    const { psql } = await debianTools();
    const version = (change: Partial<typeof target>): Promise<string> => run({ name: 'psql', command: psql.command, args: [...psql.args, '-XAtc', 'SHOW VERSION'], environment: connectionEnvironment({ ...target, ...change }) }).then(({ stdout }) => stdout);
    expect(await version({})).toMatch(/^PgBouncer 1\./);
    await (await connectTo(target)).end();
    for (const [wrong, complaint] of [
      [{ ...target.verification, hostName: 'balancer.elb.internal' }, /does not match|altnames/],
      [{ ...target.verification, authorityFile: join(directory, 'other.pem') }, /certificate verify failed|unable to verify/],
    ] as const) {
      await expect(version({ verification: wrong })).rejects.toThrow(complaint);
      await expect(connectTo({ ...target, verification: wrong })).rejects.toThrow(complaint);
    }
  });

  it('is verified by the tier itself, which says what is wrong with it', async () => {
    const endpoint = { host: address, port: 6432, database: 'pgbouncer' };
    const credentials = { username: 'pgbouncer_admin', password };
    const { certificatePem: authorities } = authority;
    await (await connectPooler(endpoint, credentials, { hostName, authorities })).end();
    await expect(connectPooler(endpoint, credentials, { hostName: 'another.internal', authorities })).rejects.toThrow(/^the pooler's certificate is refused: .*altnames.*; it must be for another\.internal and signed by one of the authorities in the configuration$/);
    const other = await readFile(join(directory, 'other.pem'), 'utf8');
    await expect(connectPooler(endpoint, credentials, { hostName, authorities: other })).rejects.toThrow("the pooler's certificate is refused: unable to verify the first certificate");
    await expect(connectPooler({ ...endpoint, port: 6433 }, credentials, { hostName, authorities })).rejects.toThrow('ECONNREFUSED');
  });

  it('is verified by the rotation of passwords and by the collector, before they say who they are', async () => {
    const aws = await AwsEndpoint.start('127.33.62.3', 0);
    Object.assign(process.env, aws.environment);
    aws.ecs.addTask(address);
    aws.ecs.addService({ name: 'Pooler', deployments: () => [], forceNewDeployment: () => undefined });
    aws.secrets.create('collector', JSON.stringify({ username: 'bookedbarber_collector', password }));
    try {
      const place = { cluster: 'cluster', service: 'Pooler' };
      const environment = (authorityFile: string) => ({
        ...observerVariables,
        [poolerVerificationEnvironment.hostName]: hostName,
        [poolerVerificationEnvironment.authorityFile]: join(directory, authorityFile),
      });
      const refusals = (authorityFile: string) => new RotationPooler(new ECSClient(), { ...place, port: 6432 }, poolerVerification(environment(authorityFile))).refusals({ username: 'pgbouncer_admin', password }, ['pgbouncer']);
      expect(await refusals('team.pem')).toEqual([]);
      expect(await refusals('both.pem')).toEqual([]);
      expect(await refusals('other.pem')).toEqual([expect.stringContaining(`task ${address}, pgbouncer: the pooler's certificate is refused`)]);

      const console = async (authorityFile: string) => (await tierSources(environment(authorityFile), 'collector', fail)).tasks[0]!.connect();
      await (await console('team.pem')).end();
      await expect(console('other.pem')).rejects.toThrow("the pooler's certificate is refused");
    } finally {
      for (const name of Object.keys(aws.environment)) delete process.env[name];
      await aws.stop();
    }
  });

  it('is refused by those that know another authority, or call it by another name', async () => {
    await expect(logIn(hostName, 'other.pem')).rejects.toThrow('certificate verify failed');
    await expect(logIn('balancer.elb.internal', 'team.pem')).rejects.toThrow('does not match host name "balancer.elb.internal"');
  });
});

/** A certificate for the host's name, of an authority that another one has signed: root, one between, its own and key. */
async function issueByChain() {
  const { openssl } = await debianTools();
  const path = (name: string): string => join(directory, name);
  const request = async (name: string, subject: string, extensions: readonly string[], signer?: string): Promise<string> => {
    const own = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-days', '1', '-subj', `/CN=${subject}`, '-keyout', path(`${name}.key`), '-out', path(`${name}.crt`)];
    const signed = signer === undefined ? [] : ['-CA', path(`${signer}.crt`), '-CAkey', path(`${signer}.key`)];
    await run({ command: openssl.command, args: [...openssl.args, ...own, ...signed, ...extensions.flatMap((extension) => ['-addext', extension])], environment: { OPENSSL_CONF: '/dev/null' } });
    return readFile(path(`${name}.crt`), 'utf8');
  };
  const ofAuthority = ['basicConstraints=critical,CA:true', 'keyUsage=keyCertSign', 'subjectKeyIdentifier=hash'];
  const root = await request('root', 'root', ofAuthority);
  const between = await request('between', 'between', [...ofAuthority, 'authorityKeyIdentifier=keyid'], 'root');
  const own = await request('own', hostName, [`subjectAltName=DNS:${hostName}`, 'basicConstraints=CA:false', 'authorityKeyIdentifier=keyid'], 'between');
  return { root, between, own, privateKey: await readFile(path('own.key'), 'utf8') };
}

it('a task shows the certificates between its own and its authority, while one authority takes the place of another', async () => {
  const { root, between, own, privateKey } = await issueByChain();
  const task = await PoolerProcess.start('127.33.62.4', {
    ...(await taskEnvironment()),
    [clientTlsCertificate]: own + between,
    [clientTlsKey]: privateKey,
    [clientTlsAuthorities]: authority.certificatePem + root,
  });
  try {
    expect(await logIn(hostName, 'root.crt', task.address)).toMatch(/^PgBouncer 1\./);
  } finally {
    await task.stop();
  }
});

describe('a task does not start', () => {
  async function endOf(change: NodeJS.ProcessEnv): Promise<string> {
    const task = await PoolerProcess.launch('127.33.62.2', { ...(await taskEnvironment()), ...change });
    try {
      expect(await task.exitCode).toBe(1);
      return task.log;
    } finally {
      await task.stop();
    }
  }

  it('with a certificate for another host', async () => {
    expect(await endOf({ [clientTlsHost]: 'pooler.example.com' })).toBe(
      'entrypoint: PGBOUNCER_CLIENT_TLS_CERT is not for pooler.example.com, under which clients connect; store one that is, or correct hostName',
    );
  });

  it('with a certificate that does not lead to an authority of its clients', async () => {
    const complaint = 'entrypoint: PGBOUNCER_CLIENT_TLS_CERT does not lead to the authorities by which clients verify it: unable to get local issuer certificate; store it with those between it and its authority, or correct authorities';
    expect(await endOf({ [clientTlsAuthorities]: await readFile(join(directory, 'other.pem'), 'utf8') })).toBe(complaint);
    const { root, own, privateKey } = await issueByChain();
    expect(await endOf({ [clientTlsCertificate]: own, [clientTlsKey]: privateKey, [clientTlsAuthorities]: root })).toBe(complaint);
  });

  it('with a certificate that has expired', async () => {
    const { openssl } = await debianTools();
    const [certificate, key] = [join(directory, 'expired.crt'), join(directory, 'expired.key')];
    const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-subj', `/CN=${hostName}`, '-addext', `subjectAltName=DNS:${hostName}`];
    await run({ command: openssl.command, args: [...openssl.args, ...request, '-not_before', '20200101000000Z', '-not_after', '20210101000000Z', '-keyout', key, '-out', certificate], environment: { OPENSSL_CONF: '/dev/null' } });
    const read = async (path: string): Promise<string> => (await run({ command: 'cat', args: [path] })).stdout;
    expect(await endOf({ [clientTlsCertificate]: await read(certificate), [clientTlsKey]: await read(key) })).toBe(
      'entrypoint: PGBOUNCER_CLIENT_TLS_CERT expired on Jan  1 00:00:00 2021 GMT; store a new certificate in its secret',
    );
  });
});

it('a secret without the field that a task asks for stops it, as in ECS', () => {
  const secrets = new SecretsManager();
  const arn = 'arn:aws:secretsmanager:eu-central-1:000000000000:secret:pooler';
  secrets.create(arn, '{"chain":"…"}');
  expect(readContainerSecret(secrets, `${arn}:chain::`)).toBe('…');
  expect(() => readContainerSecret(secrets, `${arn}:key::`)).toThrow(`the secret ${arn.split(':').at(-1)} has no JSON key "key"; it has `);
});
