import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type Report, writeReport } from '../../../lib/rehearsal/report/report';
import { sampleReport } from '../report/sample-report';

const project = join(__dirname, '../../..');
const slower: Report = { ...sampleReport, checks: sampleReport.checks.map((check) => (check.name === 'read-queries' ? { ...check, measured: check.measured / 2 } : check)) };
let directory: string;
const at = (name: string): string => join(directory, name);

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'compare-test-'));
  writeReport(at('before/run-1'), sampleReport);
  writeReport(at('before/run-2'), sampleReport);
  writeReport(at('after'), slower);
  writeFileSync(at('torn.json'), '');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function compare(...args: string[]) {
  const { status, stdout, stderr } = spawnSync('node', ['-r', 'ts-node/register/transpile-only', 'bin/rehearse.ts', 'compare', ...args], { cwd: project, encoding: 'utf8' });
  return { status, stdout, stderr };
}

describe('npm run rehearse -- compare', () => {
  it('fails if something is worse, and writes that as Markdown too', () => {
    const { status, stdout } = compare(at('before'), at('after/report.json'), '--markdown', at('comparison.md'));
    expect(status).toBe(1);
    expect(stdout).toMatch(/^worse: Read throughput 5,685 → 2,843 queries\/s;/);
    expect(readFileSync(at('comparison.md'), 'utf8')).toContain('- runs: 2 before, 1 after');
  });

  it('succeeds if nothing is worse', () => {
    const { status, stdout } = compare(at('before'), at('before'));
    expect(status).toBe(0);
    expect(stdout).toMatch(/^nothing worse: 0 better, \d+ within noise/);
  });

  it('says which side has no report', () => {
    expect(compare(at('before'), at('nowhere'))).toMatchObject({ status: 2, stderr: `the reports could not be compared: ${at('nowhere')} does not exist; it must be a report.json, or a directory that --report has filled\n` });
    expect(compare(at('torn.json'), at('after'))).toMatchObject({ status: 2, stderr: expect.stringContaining('torn.json is no report.json') as string });
  });
});
