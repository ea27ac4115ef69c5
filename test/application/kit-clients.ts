import { mkdtempSync, rmSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';

import { writeApplicationKit } from '../../lib/application-kit/application-kit';
import { readTierFacts } from '../../lib/application-kit/tier-facts';
import { readEnvironment } from '../../lib/assembly/environment-assembly';
import { environments } from '../../lib/config/environments';
import type { PoolerConfig } from '../../lib/config/tier-config';
import { AwsEndpoint } from '../../lib/rehearsal/aws/aws-endpoint';
import { debianPython, type SqlalchemySeries } from '../../lib/rehearsal/engines/debian-python';
import { addTiers } from '../../lib/tier/database-tier';
import { poolerEnvironment } from '../../lib/tier/pooler/pooler.contract';
import { scramVerifier } from '../../lib/tier/roles/scram-verifier';
import { renderUserlist } from '../../lib/tier/roles/userlist';
import { PooledDatabases, password, userlist } from '../real/pooler/pooled-databases';
import { PoolerProcess } from '../real/pooler/pooler-process';
import { testApp } from '../synthesize';
import { type Answer, ClientProcess, type ClientProgram } from './client-process';

const block = '127.38.0';
const poolerAddress = `${block}.3`;
const controlPort = 8444;
const controlUrl = `http://${block}.8:${controlPort}`;
const secretArn = 'arn:aws:secretsmanager:eu-central-1:000000000000:secret:application';
const pooledUrl = (database: string): string => `postgresql://${poolerAddress}:6432/${database}?sslmode=require`;
const endpoints = { DATABASE_URL: pooledUrl('bookedbarber'), READ_REPLICA_URL: pooledUrl('bookedbarber_ro'), APPLICATION_SECRET_ARN: secretArn };
const application = { username: 'bookedbarber_app', password };
/** Whom the secret names after a rotation. */
export const alternate = { username: 'bookedbarber_app_alternate', password: 'another password' };

/** A task's share holds all that the kit's pool gives out. */
const follows: PoolerConfig = { poolSize: 2 * 64, maxTasks: 2, settings: { server_round_robin: '1' } };
export const queueSeconds = 2;
/** A pooler that follows no prepared statements. */
export const unprepared: PoolerConfig = { ...follows, settings: { ...follows.settings, max_prepared_statements: '0', query_wait_timeout: `${queueSeconds}` } };

/** A client in Python. */
export interface Client {
  readonly driver: string;
  readonly series: SqlalchemySeries;
  /** @default - the one that the tier has */
  readonly pooler?: PoolerConfig;
}

export const node = 'node-postgres';

/** Clients on the application kit, with a pooler and databases to play their scenarios on. */
export class KitClients {
  private playing: { readonly key: string; readonly process: ClientProcess } | undefined;
  private restarted: Promise<unknown> | undefined;
  /** Of the pooler that runs. */
  private poolerConfig = follows;

  private constructor(
    private readonly directory: string,
    readonly databases: PooledDatabases,
    private readonly aws: AwsEndpoint,
    private readonly control: Server,
    private pooler: PoolerProcess,
  ) {
    control.on('request', (request, response) => {
      this.steps[request.url!.slice(1)]!().then(
        () => response.end(),
        (error: Error) => response.writeHead(500).end(error.message),
      );
    });
  }

  static async start(): Promise<KitClients> {
    const directory = mkdtempSync(join(tmpdir(), 'kit-clients-'));
    await chmod(directory, 0o755);
    for (const config of [follows, unprepared]) writeKit(directory, config);
    const databases = await PooledDatabases.start(block, { replica: true });
    await databases.primary.query(`GRANT ALL ON appointments TO ${alternate.username}`, [], 'bookedbarber');
    await databases.replica!.waitForReplay();
    const aws = await AwsEndpoint.start(`${block}.8`, 8443);
    for (const [name, value] of Object.entries(endpoints)) aws.ssm.set(`/bookedbarber/production/${name}`, value);
    const control = createServer();
    await new Promise<void>((resolve) => control.listen(controlPort, `${block}.8`, resolve));
    return new KitClients(directory, databases, aws, control, await startPooler(databases, follows));
  }

  /** As it is before every scenario: the secret before a rotation, no booking, a replica. */
  async reset(): Promise<void> {
    await this.restarted;
    if (!this.databases.replica!.isRunning) await this.databases.replica!.launch();
    const isRotated = this.aws.secrets.has(secretArn) && this.aws.secrets.json(secretArn).username !== application.username;
    this.aws.secrets.create(secretArn, JSON.stringify(application));
    await this.databases.primary.query('TRUNCATE appointments', [], 'bookedbarber');
    if (!isRotated) return;
    for (const { username } of [application, alternate]) await this.databases.primary.query(`ALTER ROLE ${username} PASSWORD '${userlistVerifier(username)}'`);
    await this.replacePooler();
  }

  /** One process at a time, which plays all scenarios of its client. */
  async play(scenario: string, client: Client | typeof node, settings?: object): Promise<Answer> {
    const wanted = (client !== node && client.pooler) || follows;
    if (this.poolerConfig !== wanted) {
      this.poolerConfig = wanted;
      await this.replacePooler();
    }
    const key = JSON.stringify(client);
    if (this.playing?.key !== key || !this.playing.process.isRunning) {
      this.playing?.process.stop();
      this.playing = { key, process: new ClientProcess(client === node ? this.nodeProgram() : await this.pythonProgram(client)) };
    }
    return this.playing.process.play(scenario, settings);
  }

  async bookings(): Promise<readonly number[]> {
    const rows = await this.databases.primary.query<{ id: number }>('SELECT id FROM appointments ORDER BY id', [], 'bookedbarber');
    return rows.map(({ id }) => id);
  }

  async stop(): Promise<void> {
    this.playing?.process.stop();
    this.control.close();
    await Promise.allSettled([this.restarted]);
    await this.aws.stop();
    await this.pooler.stop();
    await this.databases.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** What a client may ask to happen in the middle of its scenario. */
  private readonly steps: Readonly<Record<string, () => Promise<void>>> = {
    drain: async () => {
      this.pooler.signal('SIGINT');
      await this.pooler.exitCode;
      await this.replacePooler();
    },
    kill: () => this.replacePooler(),
    'restart-replica': async () => {
      await this.databases.replica!.halt('fast');
      // The client goes on while there is none.
      this.restarted = this.databases.replica!.launch();
    },
    'stop-replica': () => this.databases.replica!.halt('fast'),
    rotate: async () => {
      this.aws.secrets.put(secretArn, JSON.stringify(alternate));
      // The former user has a new password, which the client does not know: as after the rotation that follows.
      const users = new Map([
        [application.username, scramVerifier({ password: 'changed', iterations: 256 })],
        [alternate.username, scramVerifier({ password: alternate.password, iterations: 256 })],
      ]);
      for (const [user, verifier] of users) await this.databases.primary.query(`ALTER ROLE ${user} PASSWORD '${verifier}'`);
      await this.replacePooler(renderUserlist(users));
    },
  };

  private async replacePooler(users = userlist): Promise<void> {
    await this.pooler.stop();
    this.pooler = await startPooler(this.databases, this.poolerConfig, users);
  }

  private async pythonProgram({ driver, series, pooler: config = follows }: Client): Promise<ClientProgram> {
    const { command, args, environment } = await debianPython(series);
    return {
      command,
      args: [...args, join(__dirname, 'client.py'), driver],
      environment: {
        ...environment,
        ...this.aws.environment,
        AWS_DEFAULT_REGION: 'eu-central-1',
        PYTHONPATH: `${join(kitDirectory(this.directory, config), 'python')}:${environment.PYTHONPATH}`,
        CONTROL_URL: controlUrl,
      },
    };
  }

  /** The kit's node-postgres, which is told where the tier is as ECS would tell it. */
  private nodeProgram(): ClientProgram {
    return {
      command: process.execPath,
      args: [join(__dirname, 'client.js')],
      environment: {
        ...this.aws.environment,
        ...endpoints,
        NODE_PATH: [join(kitDirectory(this.directory, follows), 'node'), join(__dirname, '../../node_modules')].join(delimiter),
        CONTROL_URL: controlUrl,
      },
    };
  }
}

/** Of the application kit that is made for such a pooler. */
function kitDirectory(directory: string, config: PoolerConfig): string {
  return join(directory, config === unprepared ? 'kit-unprepared' : 'kit');
}

function writeKit(directory: string, config: PoolerConfig): void {
  const kit = kitDirectory(directory, config);
  const app = testApp({ outdir: join(directory, `assembly of ${basename(kit)}`) });
  addTiers(app, { production: { ...environments.production, pooler: config } }, 'production');
  const stacks = readEnvironment(app.synth().directory, 'production');
  writeApplicationKit(kit, readTierFacts('production', stacks), stacks);
}

function startPooler(databases: PooledDatabases, config: PoolerConfig, users = userlist): Promise<PoolerProcess> {
  return PoolerProcess.start(poolerAddress, { ...databases.environment(config), [poolerEnvironment.userlist]: users });
}

/** As the pooler's userlist has it. */
function userlistVerifier(user: string): string {
  return new RegExp(`^"${user}" "(.*)"$`, 'm').exec(userlist)![1]!;
}
