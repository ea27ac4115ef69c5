import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type Diagnosis, sectionNames } from '../../../lib/diagnosis/diagnosis';
import { run } from '../../../lib/rehearsal/engines/child';
import { debianTools } from '../../../lib/rehearsal/engines/debian-tools';
import { metrics } from '../../../lib/rehearsal/load/metrics';
import type { Report } from '../../../lib/rehearsal/report/report';
import { synthesize } from '../../../lib/rehearsal/synthesize';

const project = join(__dirname, '../../..');
const small = ['--environment', 'development', '--rows', '4000', '--load-transactions', '5', '--load-seconds', '1', '--sessions', '200'];
let directory: string;
let assembly: string;

/** Everything that a rehearsal starts finds its own files below this directory. */
const environment = () => ({ ...process.env, TMPDIR: directory });

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'rehearse-test-'));
  chmodSync(directory, 0o755); // servers run as nobody, and must find their files below it
  assembly = join(directory, 'assembly');
  await synthesize('development', assembly, new AbortController().signal);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function rehearse(...args: string[]): ChildProcess {
  return spawn('node', ['-r', 'ts-node/register/transpile-only', 'bin/rehearse.ts', ...args], { cwd: project, env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
}

function finished(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('exit', resolve));
}

/** Collects what a program prints, and tells when a text has come. */
function watch(child: ChildProcess) {
  let text = '';
  const waiting: { text: string; resolve: () => void }[] = [];
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      for (const wait of waiting.filter((each) => text.includes(each.text))) wait.resolve();
    });
  }
  return { output: () => text, printed: (wanted: string) => new Promise<void>((resolve) => waiting.push({ text: wanted, resolve })) };
}

/** Processes that were started for the rehearsal: their environment or command line names its directory. */
function processesOfRehearsal(): readonly string[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        const directories = command + readFileSync(`/proc/${pid}/environ`, 'utf8');
        return directories.includes(directory) && !command.includes('jest') ? [command] : [];
      } catch {
        return []; // it ended meanwhile
      }
    });
}

/** Those that are left once whoever was killed with the command has ended. */
async function processesLeft(): Promise<readonly string[]> {
  for (const deadline = Date.now() + 60_000; processesOfRehearsal().length > 0 && Date.now() < deadline; ) await new Promise((resolve) => setTimeout(resolve, 50));
  return processesOfRehearsal();
}

describe('npm run rehearse', () => {
  it('brings an environment up, measures every target, and with --keep runs on until it is interrupted', async () => {
    const report = join(directory, 'report');
    const child = rehearse(...small, '--assembly', assembly, '--report', report, '--keep');
    const { output, printed } = watch(child);
    await Promise.race([printed('Everything runs on until Ctrl-C'), finished(child)]);
    expect(output()).toContain('Everything runs on until Ctrl-C');
    expect(processesOfRehearsal().length).toBeGreaterThan(3);

    const connections = join(report, 'connections.json');
    expect(statSync(connections).mode & 0o777).toBe(0o600);
    const { adminUrl, ...urls } = JSON.parse(readFileSync(connections, 'utf8')) as Record<string, string>;
    expect(Object.keys(urls)).toEqual(['writeUrl', 'readUrl', 'directUrl', 'caFile']);
    const { psql } = await debianTools();
    const pools = await run({ ...psql, args: [...psql.args, adminUrl!, '-Atc', 'SHOW POOLS'] });
    expect(pools.stdout).toMatch(/^bookedbarber\|bookedbarber_app\|/m);

    child.kill('SIGINT');
    // Fewer sessions than the target were asked for: that is a miss, and the command fails.
    expect(await finished(child)).toBe(1);
    expect(await processesLeft()).toEqual([]);

    const { checks, ...rest } = JSON.parse(readFileSync(join(report, 'report.json'), 'utf8')) as Report;
    expect(rest).toMatchObject({ schemaVersion: 1, environment: 'development' });
    expect(checks.map(({ name }) => name).sort()).toEqual(metrics.map(({ name }) => name).sort());
    const measured = new Map(checks.map((check) => [check.name, check]));
    for (const name of ['indexes-valid', 'settings'] as const) expect(measured.get(name)).toMatchObject({ measured: 0, verdict: 'met' });
    expect(measured.get('load-test')).toMatchObject({ measured: 0, verdict: 'met' });
    expect(measured.get('concurrent-connections')).toMatchObject({ measured: 1000, verdict: 'met' });
    expect(measured.get('sessions')).toMatchObject({ measured: 200, verdict: 'missed' });
    expect(measured.get('smoke-check')).toMatchObject({ measured: 0, verdict: 'met' });
    expect(measured.get('diagnosis')).toMatchObject({ measured: 0, verdict: 'met' });
    expect(output()).toMatch(/^Diagnosis of development, .*\n\nFindings\n/m);
    const diagnosis = JSON.parse(readFileSync(join(report, 'diagnosis.json'), 'utf8')) as Diagnosis;
    expect(diagnosis.sections.map(({ name }) => name)).toEqual(sectionNames);
    expect(diagnosis.sections.find(({ name }) => name === 'instances')!.rows).toMatchObject([{ instance: 'primary' }, { instance: 'replica-1', receives: true }]);
    expect(readFileSync(join(report, 'diagnosis.md'), 'utf8')).toContain('## Findings');
    for (const { title } of metrics) expect(output()).toContain(title);
    expect(output()).toMatch(/^development failed: .*Active sessions is 200 sessions, not ≥ 10,000/m);
    const page = readFileSync(join(report, 'report.html'), 'utf8');
    expect(page).toContain('Active sessions is 200 sessions');
    expect(page.match(/<div class="wide"><svg/g)).toHaveLength(5); // latencies twice, indexes, pooler, what ran

    const { indexedQueries = [], latencies = [], pool, topology } = rest;
    expect(indexedQueries.filter(({ used }) => used)).toHaveLength(13);
    for (const { pooled, direct } of indexedQueries) for (const { p95Ms, p99Ms } of [pooled, direct]) expect(p99Ms).toBeGreaterThanOrEqual(p95Ms);
    expect(latencies[0]!.curves.map(({ points }) => points.length)).toEqual([61, 61]);
    expect(Math.max(...pool!.samples.map(({ clients }) => clients))).toBeGreaterThan(500);
    expect(Math.max(...pool!.samples.map(({ transactionsPerSecond }) => transactionsPerSecond))).toBeGreaterThan(10);
    expect(pool!.phases.map(({ title }) => title)).toContain("the guide's load test");
    // Nothing in the template is new to the rehearsal, and what never ran is not called rehearsed.
    expect(rest.fidelity.filter(({ fidelity, unknownProperties }) => fidelity === 'not known' || unknownProperties)).toEqual([]);
    const fidelityOf = (path: string) => rest.fidelity.find(({ constructPath }) => constructPath === path);
    expect(fidelityOf('development/data/Database/Primary/Resource')).toMatchObject({ fidelity: 'scaled', how: expect.stringMatching(/^PostgreSQL 17\.\d+ /) as string });
    expect(fidelityOf('development/service/Rotation/Function/Resource')).toMatchObject({ fidelity: 'not rehearsed', how: expect.stringContaining('secret-rotation') as string });
    expect(topology!.nodes.map(({ title }) => title)).toEqual(expect.arrayContaining(['pgbench', 'load balancer', 'PgBouncer task-1']));
  });

  it('leaves nothing behind when it is interrupted half-way', async () => {
    const child = rehearse(...small, '--assembly', assembly, '--report', join(directory, 'interrupted'));
    const { printed } = watch(child);
    await printed('Measuring: logins');
    child.kill('SIGINT');
    expect(await finished(child)).toBe(130);
    expect(await processesLeft()).toEqual([]);
  });

  it('leaves no process behind when it is killed', async () => {
    const child = rehearse(...small, '--assembly', assembly, '--report', join(directory, 'killed'));
    const { printed } = watch(child);
    await printed('Sample of');
    child.kill('SIGKILL');
    await finished(child);
    expect(await processesLeft()).toEqual([]);
  });

  it.each([
    [['--environment', 'nowhere'], /there is no environment "nowhere"; lib\/config\/environments.ts has development, staging, production/],
    [['--assembly', '/nonexistent'], /\/nonexistent is not a cloud assembly: it has no manifest.json/],
    [['--rows', '10'], /"10" is not a whole number from 2000 to 50000000/],
  ])('says why it cannot run with %j', async (args, message) => {
    const child = rehearse(...args, '--report', join(directory, 'refused'));
    const { output } = watch(child);
    expect(await finished(child)).toBe(2);
    expect(output()).toMatch(message);
  });
});
