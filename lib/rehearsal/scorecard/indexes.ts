import type { AssemblyStack } from '../../assembly/environment-assembly';
import { indexesResourceType } from '../../tier/indexes/indexes.contract';
import type { IndexSummary } from '../../tier/indexes/indexes.contract';
import type { IndexedQueryResult } from '../report/measurements';
import type { Check } from '../report/report';
import { type Bench, checkOf } from './bench';

/** Calls the scheduled function, as the clock would, until nothing is left to build. */
export async function finishIndexBuilds({ tier, onProgress, signal }: Bench): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const summaries = (await tier.functions.callScheduled()).filter((answer): answer is IndexSummary => typeof answer === 'object' && answer !== null && 'valid' in answer);
    const failed = summaries.flatMap((summary) => summary.failed);
    if (failed.length > 0) throw new Error(`index migrations failed:\n${failed.join('\n')}`);
    const unfinished = summaries.flatMap(({ building, waiting }) => [...building, ...waiting]);
    if (unfinished.length === 0) return;
    onProgress(`${unfinished.length} left`);
  }
}

/** Every index of the template is VALID on the primary, and each query of the guide took the index that is for it. */
export async function checkIndexes(bench: Bench, stacks: readonly AssemblyStack[], queries: readonly IndexedQueryResult[]): Promise<Check> {
  const { database } = bench.connections.readWrite;
  const rows = await bench.tier.databases.primary.server.query<{ name: string }>('SELECT c.relname AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indisvalid', [], database);
  const valid = new Set(rows.map(({ name }) => name));
  const wanted = indexesOf(stacks);
  const missing = wanted.filter((name) => !valid.has(name)).map((name) => `${name} is not VALID`);
  const unused = queries
    .filter(({ used }) => !used)
    .map(({ index, sql }) => (wanted.includes(index) ? `the planner does not choose ${index} for: ${sql}` : `the template has no ${index}, which is for: ${sql}`));
  const problems = [...missing, ...unused];
  return checkOf('indexes-valid', problems.length, {}, [`${wanted.length - missing.length} of ${wanted.length} are VALID`, ...problems].join('; '));
}

/** Names of the indexes that the template wants. */
export function indexesOf(stacks: readonly AssemblyStack[]): readonly string[] {
  return stacks.flatMap(({ template }) => Object.values(template.Resources).flatMap(({ Type, Properties }) => (Type === indexesResourceType ? indexNames(Properties ?? {}) : [])));
}

function indexNames(properties: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.values(properties).flatMap((sql) => {
    const [, quoted, plain] = /^CREATE (?:UNIQUE )?INDEX (?:"((?:[^"]|"")+)"|(\S+)) /.exec(typeof sql === 'string' ? sql : '') ?? [];
    const name = quoted?.replace(/""/g, '"') ?? plain;
    return name === undefined ? [] : [name];
  });
}
