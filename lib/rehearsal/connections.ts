import { writeFileSync } from 'node:fs';

import { Client } from 'pg';

import type { EndpointName } from '../tier/endpoints/endpoints.contract';
import type { TierUnderRehearsal } from './deployment/tier-under-rehearsal';
import type { LoadTarget } from './load/pgbench';

/** Where clients of the tier connect, found as an application finds it: in the parameters that the tier publishes. */
export class Connections {
  constructor(private readonly tier: TierUnderRehearsal) {}

  /** Reads and writes through the pooler, from every application host. */
  get readWrite(): LoadTarget {
    return this.pooled('DATABASE_URL', 'APPLICATION_SECRET_ARN');
  }

  /** The same role at the primary itself, without the pooler. */
  get direct(): LoadTarget {
    const { server } = this.tier.databases.primary;
    const { verification, ...pooled } = this.readWrite;
    // Both sides verify, or neither does: they are compared.
    return { ...pooled, addresses: [server.address], port: server.port, ...(verification && { verification: { ...verification, hostName: server.hostName } }) };
  }

  /** Reads from the replicas through the pooler. */
  get readOnly(): LoadTarget {
    return this.pooled('READ_REPLICA_URL', 'APPLICATION_SECRET_ARN');
  }

  /** The admin console of one task. */
  consoleOf(task: number): LoadTarget {
    const { address, port } = this.tier.pooler.tasks[task]!;
    const { verification } = this.readWrite;
    return { addresses: [address], port, database: 'pgbouncer', verification, ...this.credentials('POOLER_ADMIN_SECRET_ARN') };
  }

  /** A session on the primary as the migrations role, over verified TLS. The caller ends it. */
  async migrations(): Promise<Client> {
    const url = new URL(this.tier.parameters.value('MIGRATIONS_DATABASE_URL'));
    const { user, password } = this.credentials('MIGRATIONS_SECRET_ARN');
    const { site } = this.tier;
    const client = new Client({
      host: site.resolver.names.get(url.hostname) ?? url.hostname,
      port: Number(url.port),
      database: url.pathname.slice(1),
      user,
      password,
      ssl: { ca: site.authority.certificatePem, servername: url.hostname },
    });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  /** Writes what a person needs to look around, for this user's eyes only. */
  write(path: string): void {
    const { site } = this.tier;
    const direct = new URL(this.tier.parameters.value('MIGRATIONS_DATABASE_URL'));
    const migrations = this.credentials('MIGRATIONS_SECRET_ARN');
    const urls = {
      writeUrl: urlOf(this.readWrite),
      readUrl: urlOf(this.readOnly),
      directUrl: urlOf({
        addresses: [site.resolver.names.get(direct.hostname) ?? ''],
        port: Number(direct.port),
        database: direct.pathname.slice(1),
        verification: { hostName: direct.hostname, authorityFile: site.authorityFile },
        ...migrations,
      }),
      adminUrl: urlOf(this.consoleOf(0)),
      caFile: site.authorityFile,
    };
    writeFileSync(path, `${JSON.stringify(urls, null, 2)}\n`, { mode: 0o600 });
  }

  /** Of an SSM parameter, with the balancer's addresses in place of its name. */
  private pooled(urlName: EndpointName, secretName: EndpointName): LoadTarget {
    const url = new URL(this.tier.parameters.value(urlName));
    const verifies = url.searchParams.get('sslmode') === 'verify-full';
    return {
      addresses: this.tier.pooler.addresses,
      port: Number(url.port),
      database: url.pathname.slice(1),
      ...(verifies && { verification: { hostName: url.hostname, authorityFile: this.tier.site.authorityFile } }),
      ...this.credentials(secretName),
    };
  }

  private credentials(secretName: EndpointName): { readonly user: string; readonly password: string } {
    const { username = '', password = '' } = this.tier.site.aws.secrets.json(this.tier.parameters.value(secretName));
    return { user: username, password };
  }
}

/** With an address in place of the name, which nobody else here can resolve, and so nobody can compare. */
function urlOf({ addresses, port, database, user, password, verification }: LoadTarget): string {
  const tls = verification ? `sslmode=verify-ca&sslrootcert=${encodeURIComponent(verification.authorityFile)}` : 'sslmode=require';
  return `postgresql://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${addresses[0]}:${port}/${database}?${tls}`;
}
