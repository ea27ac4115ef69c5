import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { drills, findDrills } from '../../../lib/rehearsal/drills/drill-catalogue';
import type { DrillResult } from '../../../lib/rehearsal/drills/drill-result';
import { assertRecordable, recordDrills } from '../../../lib/rehearsal/drills/record-drills';
import { readReport, type Report, reportSchemaVersion, writeReport } from '../../../lib/rehearsal/report/report';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'report-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const report: Report = {
  schemaVersion: reportSchemaVersion,
  environment: 'production',
  startedAt: '2025-01-01T00:00:00.000Z',
  durationSeconds: 1,
  machine: { cores: 2, memoryMiB: 1 },
  checks: [{ name: 'load-test', title: '', target: '', measured: 0, unit: '', verdict: 'met' }],
  fidelity: [],
  scaled: [],
  notProven: [],
};
const result = (name: string, lost: number): DrillResult => ({
  name,
  lost,
  title: name,
  expected: '',
  why: '',
  asExpected: true,
  problems: [],
  acknowledged: 0,
  unknownOutcomes: 0,
  errors: 0,
  mostErrorsOfAClient: 0,
  mostInterruptionsOfAClient: 0,
  errorsAfterFirstStatement: 0,
  visibleErrors: 0,
  mostVisibleErrorsOfAClient: 0,
  longestSilenceSeconds: 0,
  recoverySeconds: null,
  durationSeconds: 0,
  events: [],
  timeline: [],
});

describe('results of drills', () => {
  it('are written beside the checks that are there, and in place of older results of the same drill', () => {
    writeReport(directory, report);
    recordDrills(directory, [result('one', 1), result('two', 0)], { ...report, checks: [] });
    recordDrills(directory, [result('one', 0)], { ...report, checks: [] });
    const written = readReport(directory)!;
    expect(written.checks).toEqual(report.checks);
    expect(written.drills).toEqual([result('two', 0), result('one', 0)]);
  });

  it('make a report of their own where there is none', () => {
    recordDrills(directory, [result('one', 0)], { ...report, checks: [] });
    expect(readReport(directory)).toMatchObject({ environment: 'production', checks: [], drills: [{ name: 'one' }] });
  });

  it('are not written over what is no report', () => {
    writeFileSync(join(directory, 'report.json'), 'about\nsomething else');
    expect(() => assertRecordable(directory, 'production')).toThrow(/^\S+\/report.json is not JSON: Unexpected token .*about something else/);
  });

  it('are not mixed with a report of another environment', () => {
    writeReport(directory, report);
    expect(() => assertRecordable(directory, 'staging')).toThrow(`${directory}/report.json is of production, not of staging; name another directory with --report`);
  });
});

describe('drills', () => {
  it('are found by name, or all of them', () => {
    expect(findDrills(['all'])).toEqual(drills);
    expect(findDrills(['primary-crash', 'primary-restart']).map(({ name }) => name)).toEqual(['primary-restart', 'primary-crash']);
  });

  it('that do not exist are named, with those that do', () => {
    expect(() => findDrills(['primary-restart', 'pimary', 'al'])).toThrow(/^there is no drill "pimary", "al"; there are all, .*primary-restart/);
  });

  it('have names of their own, and those that break the tier come last', () => {
    expect(new Set(drills.map(({ name }) => name)).size).toBe(drills.length);
    const firstBreaking = drills.findIndex(({ breaksTheTier }) => breaksTheTier);
    expect(drills.slice(firstBreaking).every(({ breaksTheTier }) => breaksTheTier)).toBe(true);
  });
});
