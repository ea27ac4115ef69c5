import { qualifiedName } from './index-catalogue';
import type { Decision } from './index-decision';
import type { IndexStatus } from './index-reconciler';
import { nameBeside } from './index-names';
import { createConcurrentlySql, dropConcurrentlySql, renameSql } from './index-sql';
import type { ObservedIndex } from './index-observation';
import type { JudgedIndex, RetiredIndexFound } from './index-survey';
import { isAccepted } from './index-trial';

/** A line for people about one index. */
export interface IndexLine {
  readonly index: string;
  readonly table: string;
  /** What a deploy would do, or how far it is. */
  readonly what: string;
  /** The statements, each on a line, what is wrong, or the phase; empty if there is nothing to add. */
  readonly detail: string;
  readonly refused: boolean;
}

/** What a deploy of a catalogue would do to a database. */
export function planLines({ survey, expectedBytes, progress }: IndexStatus): readonly IndexLine[] {
  return [
    ...survey.judged.map((judged) => {
      const { index, decision } = judged;
      const expected = expectedBytes.get(index);
      const size = decision.kind === 'build' && expected !== undefined ? ` (about ${bytesText(expected)})` : '';
      return lineOf(judged, `${whatDeployDoes(judged, progress)}${size}`, sqlOf(judged));
    }),
    ...survey.retired.map((retired) => retiredLine(retired, 'drop')),
    ...survey.replaced.map((index) => droppedLine(index, 'it was replaced, once everything else has succeeded')),
    ...survey.abandoned.map((index) => droppedLine(index, 'a change that was given up, or a drop that was cut short, left it INVALID')),
  ];
}

/** How far the indexes of a database are. */
export function statusLines({ survey, progress }: IndexStatus): readonly IndexLine[] {
  const lines = survey.judged.map((judged) => {
    const { index, table } = judged;
    const record = survey.history.get(qualifiedName(index));
    const isValid = judged.decision.kind === 'valid';
    const built = isValid && record?.finished && record.seconds !== null ? [`built in ${record.seconds.toFixed(0)} s`] : [];
    const phase = progress.filter(({ tableOid }) => tableOid === table?.oid && judged.decision.kind === 'building').map((build) => build.phase);
    const bytes = survey.found.get(qualifiedName(index))?.bytes;
    const size = isValid && bytes !== undefined ? [bytesText(bytes)] : [];
    const attempts = record && record.attempts > 1 ? [`${record.attempts} attempts`] : [];
    const problem = record?.problem && judged.decision.kind !== 'failed' ? [record.problem] : [];
    return lineOf(judged, whatIs(judged, progress), [...phase, ...size, ...built, ...attempts, ...problem].join('; '));
  });
  return [...lines, ...survey.retired.map((retired) => retiredLine(retired, 'retired, not yet dropped'))];
}

function retiredLine({ index, problem, waitsFor }: RetiredIndexFound, what: string): IndexLine {
  const after = waitsFor.length > 0 ? `, once ${waitsFor.join(', ')} ${waitsFor.length > 1 ? 'are' : 'is'} VALID` : '';
  return {
    index: qualifiedName(index),
    table: index.table,
    what: problem === undefined ? `${what}${after} (frees about ${bytesText(index.bytes)})` : 'refuse',
    detail: problem ?? inLines([dropConcurrentlySql(index)]),
    refused: problem !== undefined,
  };
}

function droppedLine(index: ObservedIndex, why: string): IndexLine {
  return { index: qualifiedName(index), table: index.table, what: `drop: ${why}`, detail: inLines([dropConcurrentlySql(index)]), refused: false };
}

function lineOf({ index, decision }: JudgedIndex, what: string, detail: string): IndexLine {
  const problem = decision.kind === 'failed' || decision.kind === 'drifted' ? decision.problem : undefined;
  return { index: qualifiedName(index), table: index.table, what, detail: problem ?? detail, refused: decision.kind === 'failed' };
}

function whatDeployDoes(judged: JudgedIndex, progress: IndexStatus['progress']): string {
  const { index, decision } = judged;
  switch (decision.kind) {
    case 'build':
      return [...(decision.remains ? [`drop what is left of ${decision.remains.name}`] : []), decision.as === index.name ? 'build' : 'build beside, then swap'].join(', then ');
    case 'swap':
      return 'swap';
    case 'valid':
      return decision.as === undefined ? 'do nothing, it is VALID' : `do nothing, it exists as ${decision.as}`;
    case 'building':
      return `adopt the build that runs${percentOf(judged, progress)}`;
    case 'waiting':
      return 'wait for other work on the table';
    case 'deferred':
      return 'defer, the table does not exist yet';
    case 'failed':
      return 'refuse';
    case 'drifted':
      return 'build again';
  }
}

function whatIs(judged: JudgedIndex, progress: IndexStatus['progress']): string {
  const { decision } = judged;
  const names: Readonly<Record<Decision['kind'], string>> = {
    valid: 'VALID',
    building: `building${percentOf(judged, progress)}`,
    build: decision.kind === 'build' && decision.remains?.valid === false ? 'INVALID, to be built again' : 'not built yet',
    swap: 'about to be swapped',
    waiting: 'waits for other work on the table',
    deferred: 'deferred, the table does not exist yet',
    failed: 'failed',
    drifted: 'drifted',
  };
  return decision.kind === 'valid' && decision.as !== undefined ? `VALID as ${decision.as}` : names[decision.kind];
}

function percentOf({ table }: JudgedIndex, progress: IndexStatus['progress']): string {
  const build = progress.find(({ tableOid }) => tableOid === table?.oid);
  return build ? ` (${build.percent} %)` : '';
}

function sqlOf({ index, trial, decision }: JudgedIndex): string {
  if (decision.kind === 'swap') {
    const { current, replacement, aside } = decision;
    return inLines([...(current ? [renameSql(index.schema, current.name, aside)] : []), renameSql(index.schema, replacement.name, index.name)]);
  }
  if (decision.kind !== 'build' || !isAccepted(trial)) return '';
  const { as, remains } = decision;
  return inLines([
    ...(remains ? [dropConcurrentlySql(remains)] : []),
    createConcurrentlySql({ ...index, name: as }, index.unique, trial.canonical),
    ...(as === index.name ? [] : [renameSql(index.schema, index.name, nameBeside(index.name, 'old')), renameSql(index.schema, as, index.name)]),
  ]);
}

function inLines(statements: readonly string[]): string {
  return statements.map((statement) => `${statement};`).join('\n');
}

function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 2 ** (10 * power)).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}
