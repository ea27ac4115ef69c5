import { defaultLimits, type Diagnosis, diagnosisSchemaVersion, type Limits, type Problem, type Row, type Section, type SectionName, sectionNames } from './diagnosis';
import { findingsOf } from './findings';
import { type Collected, readInstance } from './instance-reader';
import { sectionHeads } from './section-heads';
import type { InstanceSection } from './sections/instance-section';
import { instanceSections } from './sections/instance-sections';
import { poolerSections, readConsole } from './sections/pooler';
import { ask, type Source } from './source';

export interface DiagnoseOptions {
  /** Name of the environment, or where the database is. */
  readonly subject: string;
  readonly instances: readonly Source[];
  /** Admin consoles of the running tasks. */
  readonly tasks: readonly Source[];
  /** @default - every section */
  readonly only?: readonly SectionName[];
  /** @default {@link defaultLimits} */
  readonly limits?: Partial<Limits>;
  /** How long one of them may take, milliseconds. @default 20000 */
  readonly patienceMs?: number;
  /** Rows that nobody but AWS knows of: parameter groups that wait for a restart. @default - only what the servers say */
  readonly pendingRestarts?: () => Promise<readonly Row[]>;
  /** What was found missing before anybody was asked. @default - nothing */
  readonly problems?: readonly Problem[];
}

/**
 * Asks everybody at once, reading only. One that does not answer, or a part that cannot be read, is a problem in the
 * report; the rest is there.
 */
export async function diagnose(options: DiagnoseOptions): Promise<Diagnosis> {
  const { subject, instances, tasks, only = sectionNames, patienceMs = 20_000 } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const wanted = new Set(only);
  const collected: Collected[] = [];
  const problems: Problem[] = [...(options.problems ?? [])];
  await Promise.all([
    ...instances.map(async (source) => {
      const answer = await ask(source, patienceMs, (session) =>
        readInstance(session, { limits, wanted, onRows: (read) => collected.push({ source: source.name, ...read }), onProblem: (problem) => problems.push({ source: source.name, ...problem }) }),
      );
      if ('problem' in answer) problems.push({ source: source.name, problem: answer.problem });
    }),
    ...tasks.map(async (source) => {
      const answer = await ask(source, patienceMs, (session) => readConsole(session, wanted, (section, rows) => collected.push({ source: source.name, section, rows })));
      if ('problem' in answer) problems.push({ source: source.name, problem: answer.problem });
    }),
    readPendingRestarts(options, wanted, collected, problems),
  ]);
  problems.push(...instancesNotHeard(collected, instances));
  const order = [...instances, ...tasks].map(({ name }) => name);
  collected.sort((a, b) => order.indexOf(a.source) - order.indexOf(b.source));
  problems.sort((a, b) => order.indexOf(a.source) - order.indexOf(b.source));
  const sections = sectionHeads(limits)
    .filter(({ name }) => wanted.has(name) && isTold(name, collected, instances.length))
    .map((head): Section => ({ ...head, rows: rowsOf(head.name, collected) }));
  return { schemaVersion: diagnosisSchemaVersion, subject, takenAt: new Date().toISOString(), findings: findingsOf({ sections, problems }, limits), problems, sections };
}

async function readPendingRestarts({ pendingRestarts }: DiagnoseOptions, wanted: ReadonlySet<SectionName>, collected: Collected[], problems: Problem[]): Promise<void> {
  if (!pendingRestarts || !wanted.has('pending-restarts')) return;
  try {
    collected.push({ source: 'RDS', section: 'pending-restarts', rows: await pendingRestarts() });
  } catch (error) {
    problems.push({ source: 'RDS', section: 'pending-restarts', problem: (error as Error).message });
  }
}

/** An index that only one instance uses looks unused to whoever does not ask it. */
function instancesNotHeard(collected: readonly Collected[], instances: readonly Source[]): readonly Problem[] {
  const heard = collected.filter(({ section }) => section === 'unused-indexes').map(({ source }) => source);
  if (heard.length === 0) return [];
  const silent = instances.filter(({ name }) => !heard.includes(name));
  if (silent.length > 0) return silent.map(({ name }) => ({ source: name, section: 'unused-indexes', problem: 'an index may be used there, so none is called unused' }));
  const streaming = collected.find(({ section, standby }) => section === 'replication' && standby === false);
  const standbys = streaming?.rows.filter(({ absent }) => absent !== true).length ?? 0;
  const [asked] = collected.filter(({ section }) => section === 'unused-indexes');
  if (asked!.standby === true && collected.every(({ standby }) => standby !== false)) {
    return [{ source: asked!.source, section: 'unused-indexes', problem: 'it is a replica, and its primary was not asked: an index may be used there' }];
  }
  if (!streaming || standbys < instances.length) return [];
  const others = instances.length - 1;
  const heardOf = others === 0 ? 'none of them was' : others === 1 ? 'one of them was' : `${others} of them were`;
  return [{ source: streaming.source, section: 'unused-indexes', problem: `${standbys} ${standbys === 1 ? 'standby streams' : 'standbys stream'} from it, and ${heardOf} asked: an index may be used there` }];
}

/** Every instance must be heard before an index is called unused. */
function isTold(name: SectionName, collected: readonly Collected[], instances: number): boolean {
  const heard = collected.filter(({ section }) => section === name).length;
  return name === 'unused-indexes' ? heard === instances && heard > 0 : heard > 0;
}

function rowsOf(name: SectionName, collected: readonly Collected[]): readonly Row[] {
  const parts = collected.filter(({ section }) => section === name);
  if (name === 'unused-indexes') return unusedEverywhere(parts);
  const { on = 'every' }: Partial<InstanceSection> = instanceSections.find((section) => section.name === name) ?? {};
  const key = poolerSections.some((section) => section.name === name) ? 'task' : 'instance';
  const said = on === 'one' ? [parts.find(({ standby }) => standby === false) ?? parts[0]!] : parts;
  return said.flatMap(({ source, rows }) => rows.map((row) => ({ [key]: source, ...row })));
}

/** What no instance has scanned, since the youngest of their statistics began. */
function unusedEverywhere(parts: readonly Collected[]): readonly Row[] {
  const [first, ...others] = parts.map(({ rows }) => new Map(rows.map((row) => [row.index, row] as const)));
  return [...first!.values()]
    .filter(({ scans, index }) => scans === 0 && others.every((rows) => (rows.get(index)?.scans ?? 0) === 0))
    .map(({ index, table, sizeBytes, statisticsSeconds }) => ({
      index: index!,
      table: table!,
      sizeBytes: sizeBytes!,
      statisticsSeconds: Math.min(...[statisticsSeconds, ...others.map((rows) => rows.get(index)?.statisticsSeconds)].map((age) => Number(age ?? Infinity))),
    }))
    .sort((a, b) => Number(b.sizeBytes) - Number(a.sizeBytes))
    .slice(0, 50);
}
