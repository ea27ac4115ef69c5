import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { environments } from '../../../lib/config/environments';
import { resolveConfig } from '../../../lib/config/resolve-config';
import { sectionNames } from '../../../lib/diagnosis/diagnosis';
import { alarmCatalogue } from '../../../lib/tier/monitoring/alarm-catalogue';

const runbook = readFileSync(join(__dirname, '../../../docs/runbook.md'), 'utf8');
const sections = new Map(runbook.split(/^## /m).slice(1).map((text) => [text.slice(0, text.indexOf('\n')), text] as const));

describe('the runbook', () => {
  it.each(Object.entries(environments))('has a section for each alarm of %s, with symptom, commands and fix', (name, config) => {
    const wanted = [...new Set(alarmCatalogue(resolveConfig(name, config)).map(({ runbook: section }) => section))];
    const incomplete = wanted.filter((section) => !['**Symptom.**', '**Commands.**', '**Fix.**'].every((part) => sections.get(section)?.includes(part)));
    expect(incomplete).toEqual([]);
  });

  it.each([
    ['How to get in', 'SHOW POOLS'],
    ['The pool is full', 'QueuePool limit exceeded'],
    ['Authentication fails', 'no such user'],
    ['Queries are slow after pooling', 'plan_cache_mode'],
    ['A timeout expired', 'query_wait_timeout'],
    ['Restore to a point in time', 'restore-db-instance-to-point-in-time'],
  ])('answers on-call under "%s"', (section, words) => {
    expect(sections.get(section)).toContain(words);
  });

  it('asks the diagnosis only for sections that it has', () => {
    const asked = [...runbook.matchAll(/npm run diagnose -- ENV --only ([\w,-]+)/g)].flatMap(([, names]) => names!.split(','));
    expect(asked.length).toBeGreaterThan(5);
    expect(asked.filter((name) => !(sectionNames as readonly string[]).includes(name))).toEqual([]);
  });

  it('refers to sections that it has', () => {
    const named = [...runbook.matchAll(/(?<!\*)\*([A-Z][^*\n]+)\*(?!\*)/g)].map(([, heading]) => heading!);
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter((heading) => !sections.has(heading))).toEqual([]);
  });
});
