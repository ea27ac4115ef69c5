import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { kitPackages, writeApplicationKit } from '../../lib/application-kit/application-kit';
import { readTierFacts } from '../../lib/application-kit/tier-facts';
import { environments } from '../../lib/config/environments';
import { rehearseApplication } from '../../lib/rehearsal/application/rehearse-application';
import { bringUp, type RunningTier } from '../../lib/rehearsal/bring-up';
import { CertificateAuthority } from '../../lib/rehearsal/engines/certificate-authority';
import type { ApplicationResult } from '../../lib/rehearsal/report/application-result';
import type { Progress } from '../../lib/rehearsal/report/progress';
import { Teardown } from '../../lib/rehearsal/teardown';
import { addTiers } from '../../lib/tier/database-tier';
import { testApp } from '../synthesize';

const signal = new AbortController().signal;
const progress = { begin: () => undefined, update: () => undefined } as unknown as Progress;
const teardown = new Teardown();
let directory: string;
let running: RunningTier;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'rehearsed-application-'));
  chmodSync(directory, 0o755);
  running = await bringUp({ environment: 'development', assembly: await verifiedAssembly(), rows: 4000, maxSessions: 1000, poolerTasks: 2, leavingTimeScale: 0.05, progress, signal }, teardown);
});
afterAll(async () => {
  await teardown.run();
  rmSync(directory, { recursive: true, force: true });
});

/** With a certificate of the team's, which every application must verify. */
async function verifiedAssembly(): Promise<string> {
  const { certificatePem: authorities } = await CertificateAuthority.create('the team');
  const certificateSecret = { secret: 'pooler', hostName: 'pooler.bookedbarber.internal', authorities };
  const app = testApp({ outdir: join(directory, 'assembly'), context: { 'aws:cdk:bundling-stacks': ['**'] } });
  addTiers(app, { development: { ...environments.development, pooler: { ...environments.development.pooler, certificateSecret } } }, 'development');
  return app.synth().directory;
}

/** Edits of the kit's Python: a text in a file, and what takes its place. */
type Break = readonly [file: string, text: string, instead: string];

async function rehearsed(breaks: readonly Break[]): Promise<readonly ApplicationResult[]> {
  const kit = mkdtempSync(join(directory, 'kit-'));
  writeApplicationKit(kit, readTierFacts('development', running.stacks), running.stacks);
  for (const [file, text, instead] of breaks) {
    const path = join(kit, kitPackages.python, file);
    const code = readFileSync(path, 'utf8');
    if (!code.includes(text)) throw new Error(`${file} has no ${text}`);
    writeFileSync(path, code.replace(text, instead));
  }
  return rehearseApplication({ ...running, kit, loadSeconds: 2, signal, onProgress: () => undefined });
}

const missed = ({ name, checks }: ApplicationResult) => checks.filter(({ verdict }) => verdict === 'missed').map((check) => `${name}: ${check.name}`);

describe('applications on the application kit', () => {
  it('miss nothing, while every pooler is replaced and the primary restarts', async () => {
    expect(running.connections.readWrite.verification).toMatchObject({ hostName: 'pooler.bookedbarber.internal' });
    const results = await rehearsed([]);
    expect(results.flatMap(missed)).toEqual([]);
    expect(results.map(({ name, checks }) => [name, checks.length])).toEqual([
      ['fastapi-psycopg2', 10],
      ['fastapi-asyncpg', 10],
      ['fastapi-psycopg', 10],
      ['node-postgres', 9],
    ]);
    for (const { requestsPerSecond } of results) expect(requestsPerSecond).toBeGreaterThan(0);
  });

  it('are found out where the kit is broken: no retry, no READ ONLY, reads on the primary, a smaller pool', async () => {
    const results = await rehearsed([
      ['retry.py', 'if time.monotonic() + pause > self._deadline:', 'if True:'],
      ['engine.py', 'set_readonly(dbapi_connection, True)', 'set_readonly(dbapi_connection, False)'],
      ['database.py', 'endpoint("READ_REPLICA_URL")', 'endpoint("DATABASE_URL")'],
      ['tier.py', 'MAX_OVERFLOW = 40', 'MAX_OVERFLOW = 4'],
    ]);
    const found = results.flatMap(missed);
    for (const check of ['misplaced-reads', 'writes-let-through', 'pool', 'restart-errors']) expect(found).toContain(`fastapi-psycopg2: ${check}`);
    expect(found.filter((each) => each.startsWith('node-postgres'))).toEqual([]);
  });
});
