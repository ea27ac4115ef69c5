import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { CertificateAuthority } from '../../../lib/rehearsal/engines/certificate-authority';
import { PostgresServer } from '../../../lib/rehearsal/engines/postgres-server';
import { Resolver } from '../../../lib/rehearsal/network/resolver';
import type { PoolerConfig } from '../../../lib/config/tier-config';
import { poolerEnvironment } from '../../../lib/tier/pooler/pooler.contract';
import { scramVerifier } from '../../../lib/tier/roles/scram-verifier';
import { renderUserlist } from '../../../lib/tier/roles/userlist';
import { containerEnvironment, poolerTemplate } from '../../tier/pooler/pooler-stack';

/** Odd characters, as a password may have them. */
export const password = `p 'a"b\\c$d%e:f@g/h?i#`;

const verifiers = new Map([
  ['bookedbarber_app', scramVerifier({ password, iterations: 256 })],
  ['bookedbarber_collector', scramVerifier({ password, iterations: 4096 })],
  ['pgbouncer_admin', scramVerifier({ password, iterations: 4096 })],
  ['pgbouncer_admin_alternate', scramVerifier({ password, iterations: 4096 })],
  ['bookedbarber_collector_alternate', scramVerifier({ password, iterations: 4096 })],
  ['bookedbarber_app_alternate', scramVerifier({ password, iterations: 256 })],
  ['bookedbarber_readonly', scramVerifier({ password, iterations: 4096 })],
]);

/** Whom the pooler knows. */
export const users = [...verifiers.keys()];

/** What the secret holds. */
export const userlist = renderUserlist(verifiers);

/** Few enough clients for the open files of any machine. */
const fewClients: PoolerConfig = { maxClientConnections: 300 };

/** The container's environment in the template of a small service, which starts without its databases. */
export function templateEnvironment(
  change?: PoolerConfig,
  readOnlyHosts?: readonly string[],
): Readonly<Record<string, string>> {
  return {
    ...containerEnvironment(poolerTemplate({ ...fewClients, ...change }, readOnlyHosts)),
    [poolerEnvironment.userlist]: userlist,
    [poolerEnvironment.requiredDatabases]: '',
  };
}

/** A primary with TLS and the roles of the pooler, perhaps a standby, and the DNS server that knows them. */
export class PooledDatabases {
  private constructor(
    readonly primary: PostgresServer,
    readonly replica: PostgresServer | undefined,
    readonly resolver: Resolver,
    /** Authorities and resolv.conf, which a container must be shown. */
    readonly directory: string,
  ) {}

  /** @param block the first three bytes of its addresses */
  static async start(block: string, options: { readonly replica: boolean }): Promise<PooledDatabases> {
    const directory = await mkdtemp(join(tmpdir(), 'pooled-databases-'));
    await chmod(directory, 0o755); // PgBouncer runs as another user
    const tls = await CertificateAuthority.create('authority of the databases');
    const primary = await PostgresServer.start({
      address: `${block}.1`,
      hostName: 'primary.internal',
      tls,
      rds: { masterUsername: 'bookedbarber_master', masterPassword: password, databaseName: 'bookedbarber' },
      parameters: { fsync: 'off', log_connections: 'on', shared_preload_libraries: 'pg_stat_statements' },
    });
    for (const [user, verifier] of verifiers) await primary.query(`CREATE ROLE ${user} LOGIN PASSWORD '${verifier}'`);
    await primary.query(
      'CREATE TABLE appointments (id int PRIMARY KEY); GRANT ALL ON appointments TO bookedbarber_app',
      [],
      'bookedbarber',
    );
    const replica = options.replica
      ? await primary.startStandby({ address: `${block}.2`, hostName: 'replica-1.internal', parameters: { shared_preload_libraries: 'pg_stat_statements' } })
      : undefined;
    const resolver = await Resolver.start(`${block}.9`, 5353);
    resolver.set('primary.internal', primary.address);
    if (replica) resolver.set('replica-1.internal', replica.address);
    await writeFile(join(directory, 'ca.pem'), tls.certificatePem);
    await writeFile(
      join(directory, 'other-ca.pem'),
      (await CertificateAuthority.create('somebody else')).certificatePem,
    );
    await writeFile(join(directory, 'resolv.conf'), resolver.resolvConf);
    await writeFile(join(directory, 'lookup'), resolver.lookupProgram, { mode: 0o755 });
    return new PooledDatabases(primary, replica, resolver, directory);
  }

  /** What a task is told in its template, and where things lie here. */
  environment(change?: PoolerConfig, readOnlyHosts?: readonly string[]): Readonly<Record<string, string>> {
    return {
      ...templateEnvironment(change, readOnlyHosts),
      [poolerEnvironment.requiredDatabases]: 'bookedbarber',
      [poolerEnvironment.serverTlsCaFile]: join(this.directory, 'ca.pem'),
      [poolerEnvironment.resolvConf]: join(this.directory, 'resolv.conf'),
      [poolerEnvironment.lookup]: join(this.directory, 'lookup'),
    };
  }

  /** Authorities that did not sign the databases' certificates. */
  get otherCaFile(): string {
    return join(this.directory, 'other-ca.pem');
  }

  async stop(): Promise<void> {
    await this.replica?.stop();
    await this.primary.stop();
    await this.resolver.stop();
    await rm(this.directory, { recursive: true, force: true });
  }
}
