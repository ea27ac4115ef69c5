import type { BuildProgress } from './build-progress';
import { describeWait, type Wait } from './build-waits';
import { type CataloguedIndex, qualifiedTable, shownName } from './index-catalogue';
import type { Decision } from './index-decision';
import type { JudgedIndex, Survey } from './index-survey';
import type { IndexSummary } from './indexes.contract';

/**
 * A look in words.
 *
 * @param putOff why a build was not started, by index
 */
export function summarize(
  { judged, retired, leftovers, invalid, database }: Survey,
  progress: readonly BuildProgress[] = [],
  waits: readonly Wait[] = [],
  putOff: ReadonlyMap<CataloguedIndex, string> = new Map(),
): IndexSummary {
  const of = (...kinds: readonly Decision['kind'][]): readonly JudgedIndex[] => judged.filter(({ decision }) => kinds.includes(decision.kind));
  const names = (found: readonly JudgedIndex[]): readonly string[] => found.map(({ index }) => shownName(index));
  const droppable = retired.filter(({ problem, waitsFor }) => problem === undefined && waitsFor.length === 0).map(({ index }) => shownName(index));
  return {
    valid: names(of('valid')),
    adopted: of('valid').flatMap(({ index, decision }) => (decision.kind === 'valid' && decision.as !== undefined ? [`${shownName(index)}: exists as ${decision.as}`] : [])),
    building: of('building').map(({ index }) => shownName(index)),
    progress: of('building').flatMap(({ index, table }) => progress.filter(({ tableOid }) => tableOid === table?.oid).map(({ phase, percent }) => `${shownName(index)}: ${percent} %, ${phase}`)),
    waits: waits.map(describeWait),
    waiting: names(of('build', 'swap', 'waiting').filter(({ index }) => !putOff.has(index))),
    dropping: droppable,
    deferred: of('deferred').map(({ index }) => `${shownName(index)}: table ${qualifiedTable(index)} does not exist in database ${database}; it is built once the application's migration has created it`),
    failed: [...problems(judged), ...[...putOff].map(([index, problem]) => `${shownName(index)}: ${problem}`), ...retired.flatMap(({ index, problem }) => (problem === undefined ? [] : [`${shownName(index)}: is to be dropped, but ${problem}`]))],
    drifted: of('drifted').map(({ index, decision }) => `${shownName(index)}: ${decision.kind === 'drifted' ? decision.problem : ''}`),
    leftovers,
    invalid,
    superseded: false,
  };
}

function problems(judged: readonly JudgedIndex[]): readonly string[] {
  return judged.flatMap(({ index, decision }) => (decision.kind === 'failed' ? [`${shownName(index)}: ${decision.problem}`] : []));
}

/** Nothing is left to do now: what is deferred or failed is for somebody else to resolve. */
export function isSettled({ building, waiting, dropping, superseded }: IndexSummary): boolean {
  return superseded || building.length + waiting.length + dropping.length === 0;
}
