import { type Diagnosis, type Finding, type Limits, type Row, type Section, type SectionName, severities } from './diagnosis';
import { formatCell } from './format-cell';

type Judge = (rows: readonly Row[], limits: Limits) => readonly Finding[];

const figure = (row: Row, key: string): number => Number(row[key] ?? 0);
const duration = (value: number): string => formatCell(value, 'seconds');
const percent = (value: number): string => formatCell(value, 'percent');
const greatest = (rows: readonly Row[], key: string): Row => rows.reduce((most, row) => (figure(row, key) > figure(most, key) ? row : most));
/** A statement as a line of a finding has room for it. */
const excerpt = (query: unknown): string => (String(query).length > 70 ? `${String(query).slice(0, 69)}…` : String(query));
/** The name of a table as its statements have it, inside a literal. */
const unqualified = (table: unknown): string => (/(?:"(?:[^"]|"")*"|[^."]+)$/.exec(String(table))?.[0] ?? '').replaceAll("'", "''");
const who = (row: Row, prefix: 'application' | 'blockerApplication' = 'application'): string => String(row[prefix] || row.user || 'unnamed');

/** One finding for all rows, which tells of the worst. */
function several(rows: readonly Row[], finding: () => Finding): readonly Finding[] {
  return rows.length === 0 ? [] : [finding()];
}

function more(rows: readonly Row[]): string {
  return rows.length === 1 ? '' : `, and ${rows.length - 1} more`;
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Slow by nature, and not made faster by an index. */
const maintenance = /^(ALTER|ANALYZE|CLUSTER|COPY|CREATE|DROP|REFRESH|REINDEX|TRUNCATE|VACUUM)\b/i;

const judges: Readonly<Partial<Record<SectionName, Judge>>> = {
  pools: (rows, { clientWaitSeconds }) =>
    rows
      .filter((row) => figure(row, 'longestWaitSeconds') >= clientWaitSeconds)
      .map((row) => ({
        severity: figure(row, 'longestWaitSeconds') >= 5 ? 'critical' : 'warning',
        what: `${counted(figure(row, 'clientsWaiting'), 'client waits', 'clients wait')} for a server connection of pool ${String(row.database)} at task ${String(row.task)}, the first for ${duration(figure(row, 'longestWaitSeconds'))}; ${String(row.serversActive)} of ${String(row.serversMost ?? 'any number of')} server connections are at work`,
        next: 'look below for long transactions and for sessions that are idle in transaction; end what should not be there',
        runbook: 'The pool is full',
      })),

  'lock-waits': (rows) => {
    const waiters = new Set(rows.map(({ instance, pid }) => `${String(instance)} ${String(pid)}`));
    const roots = rows.filter(({ instance, blockerPid }) => !waiters.has(`${String(instance)} ${String(blockerPid)}`));
    const byRoot = new Map(roots.map((row) => [`${String(row.instance)} ${String(row.blockerPid)}`, row] as const));
    return [...byRoot.values()].map((root) => {
      const blocked = roots.filter(({ instance, blockerPid }) => instance === root.instance && blockerPid === root.blockerPid);
      const waited = figure(greatest(blocked, 'waitSeconds'), 'waitSeconds');
      return {
        severity: waited >= 60 ? 'critical' : 'warning',
        what: `pid ${String(root.blockerPid)} (${who(root, 'blockerApplication')}, ${String(root.blockerState ?? 'a prepared transaction')}) on ${String(root.instance)} blocks ${counted(blocked.length, 'session', 'sessions')}, the first for ${duration(waited)}`,
        next: root.blockerPid === 0 ? 'look at pg_prepared_xacts, and commit or roll back' : `once you know what it is: SELECT pg_terminate_backend(${String(root.blockerPid)})`,
        runbook: 'Sessions block each other',
      };
    });
  },

  'long-running': (rows, { idleInTransactionSeconds }) => {
    const idle = rows.filter((row) => figure(row, 'idleSeconds') >= idleInTransactionSeconds);
    const atWork = rows.filter((row) => !idle.includes(row));
    return [
      ...several(idle, () => {
        const worst = greatest(idle, 'idleSeconds');
        return {
          severity: 'warning',
          what: `pid ${String(worst.pid)} (${who(worst)}) on ${String(worst.instance)} has been idle in transaction for ${duration(figure(worst, 'idleSeconds'))}${more(idle)}`,
          next: `it holds a server connection of the pool, and its locks: find out why the application does not commit, or SELECT pg_terminate_backend(${String(worst.pid)})`,
          runbook: 'A transaction stays open',
        };
      }),
      ...several(atWork, () => {
        const worst = greatest(atWork, 'transactionSeconds');
        return {
          severity: 'warning',
          what: `pid ${String(worst.pid)} (${who(worst)}) on ${String(worst.instance)} has been in its transaction for ${duration(figure(worst, 'transactionSeconds'))}${more(atWork)}`,
          next: `if it should not run: SELECT pg_cancel_backend(${String(worst.pid)})`,
          runbook: 'A transaction stays open',
        };
      }),
    ];
  },

  'slow-queries': (rows) => {
    const queries = rows.filter(({ query }) => !maintenance.test(String(query)));
    return several(queries, () => {
      const worst = greatest(queries, 'sharePercent');
      return {
        severity: 'warning',
        what: `a statement on ${String(worst.instance)} takes ${formatCell(worst.meanMs, 'milliseconds')} on average and ${percent(figure(worst, 'sharePercent'))} of all time${more(queries)}: ${excerpt(worst.query)}`,
        next: 'EXPLAIN (ANALYZE, BUFFERS) it with values of your own; a missing index shows as a sequential scan',
        runbook: 'Queries are slow',
      };
    });
  },

  'sequential-scans': (rows) =>
    several(rows, () => {
      const [worst] = rows as [Row];
      return {
        severity: 'warning',
        what: `${String(worst.table)} has been read from end to end ${formatCell(worst.scans, 'count')} times on ${String(worst.instance)}, ${formatCell(worst.rowsPerScan, 'count')} rows each time${more(rows)}`,
        next: `find its statement, and add an index for its condition: SELECT mean_exec_time, query FROM pg_stat_statements WHERE strpos(query, '${unqualified(worst.table)}') > 0 ORDER BY total_exec_time DESC LIMIT 5`,
        runbook: 'Queries are slow',
      };
    }),

  'unused-indexes': (rows, { unusedIndexSeconds }) => {
    const old = rows.filter((row) => figure(row, 'statisticsSeconds') >= unusedIndexSeconds);
    return several(old, () => ({
      severity: 'notice',
      what: `no instance has used ${counted(old.length, 'index', 'indexes')} of ${formatCell(old.reduce((sum, row) => sum + figure(row, 'sizeBytes'), 0), 'bytes')} in all for ${duration(figure(old[0]!, 'statisticsSeconds'))}`,
      next: `every write keeps them up to date: if nothing rare needs them, name them in retiredIndexes, or DROP INDEX CONCURRENTLY ${String(old[0]!.index)}`,
      runbook: 'An index is not as it should be',
    }));
  },

  'duplicate-indexes': (rows) =>
    several(rows, () => ({
      severity: 'notice',
      what: `${String(rows[0]!.index)} is needless beside ${String(rows[0]!.covering)}${more(rows)}`,
      next: `name it in retiredIndexes, or DROP INDEX CONCURRENTLY ${String(rows[0]!.index)}`,
      runbook: 'An index is not as it should be',
    })),

  'invalid-indexes': (rows) => {
    const failed = rows.filter(({ building }) => building !== true);
    return several(failed, () => ({
      severity: 'warning',
      what: `${String(failed[0]!.index)} is INVALID: ${String(failed[0]!.state)}${more(failed)}`,
      next: `npm run indexes -- status says why; one of the list of the environment is repaired by the next schedule, another one: REINDEX INDEX CONCURRENTLY ${String(failed[0]!.index)}`,
      runbook: 'An index is not as it should be',
    }));
  },

  'dead-rows': (rows) =>
    several(rows, () => ({
      severity: 'notice',
      what: `${percent(figure(rows[0]!, 'deadPercent'))} of the rows of ${String(rows[0]!.table)} are dead${more(rows)}`,
      next: `an old transaction, or a slot, may keep VACUUM from removing them; else VACUUM (VERBOSE, ANALYZE) ${String(rows[0]!.table)}`,
      runbook: 'Queries are slow',
    })),

  replication: (rows) => {
    const absent = rows.filter((row) => row.absent === true);
    return several(absent, () => {
      const worst = greatest(absent, 'behindBytes');
      return {
        severity: 'warning',
        what: `${String(worst.standby)} on ${String(worst.instance)} keeps ${formatCell(worst.behindBytes, 'bytes')} of WAL for nobody${more(absent)}`,
        next: `bring its reader back, or before the storage is full: SELECT pg_drop_replication_slot('${String(worst.standby).replace(/^slot /, '')}')`,
        runbook: 'A replica is behind',
      };
    });
  },

  'pending-restarts': (rows) =>
    several(rows, () => ({
      severity: 'notice',
      what: `${String(rows[0]!.parameter)} on ${String(rows[0]!.instance)} waits for a restart${more(rows)}`,
      next: `at a time of your choice: ${String(rows[0]!.command ?? `restart ${String(rows[0]!.instance)}`)}`,
    })),

  instances: (rows, { replicaDelaySeconds }) => rows.flatMap((row) => judgeInstance(row, replicaDelaySeconds)),
};

/** Fewer blocks than these say nothing about the cache. */
const enoughBlocks = 1_000_000;

function judgeInstance(row: Row, replicaDelaySeconds: number): readonly Finding[] {
  const name = String(row.instance);
  const use = (100 * figure(row, 'connections')) / figure(row, 'maxConnections');
  const delay = figure(row, 'delaySeconds');
  const age = figure(row, 'transactionIdAge');
  const hits = row.cacheHitPercent;
  return [
    ...(use >= 80
      ? [{ severity: use >= 90 ? 'critical' : 'warning', what: `${String(row.connections)} of ${String(row.maxConnections)} connections of ${name} are in use`, next: 'see below whose they are; send the application through the pooler', runbook: 'Connections run out' } as const]
      : []),
    ...(delay >= replicaDelaySeconds
      ? [{ severity: delay >= 60 ? 'critical' : 'warning', what: `${name} is ${duration(delay)} behind`, next: row.paused === true ? 'its replay is paused; on it: SELECT pg_wal_replay_resume()' : 'look for a long query on it that holds replay back, and for a burst of writes', runbook: 'A replica is behind' } as const]
      : []),
    ...(row.receives === false
      ? [{ severity: 'critical', what: `${name} receives nothing from its primary`, next: 'look at its log, and at the replication slots and the log of the primary', runbook: 'A replica is behind' } as const]
      : []),
    ...(typeof hits === 'number' && figure(row, 'blocks') >= enoughBlocks && hits < 90
      ? [{ severity: 'notice', what: `${name} finds only ${percent(hits)} of its blocks in memory`, next: 'an index in place of a sequential scan, or an instance with more memory', runbook: 'Memory or storage run out' } as const]
      : []),
    ...(age >= 500_000_000
      ? [{ severity: age >= 1_000_000_000 ? 'critical' : 'warning', what: `${name} has used ${formatCell(age, 'count')} transaction ids since its last freeze`, next: 'look for what holds VACUUM back: an old transaction, a slot, a prepared transaction', runbook: 'Transaction ids run out' } as const]
      : []),
  ];
}

/** One that answers and refuses needs another remedy than one that is silent. */
function nextOf(problem: string): string {
  if (/authentication failed|asks for a password|no pg_hba\.conf entry|role ".*" does not exist/.test(problem)) return 'see which user and password it takes, and from where';
  if (/database ".*" does not exist/.test(problem)) return 'see which databases it has: SELECT datname FROM pg_database';
  return 'look at its events and its log';
}

/** What to act on, worst first. */
export function findingsOf({ sections, problems }: Pick<Diagnosis, 'sections' | 'problems'>, limits: Limits): readonly Finding[] {
  const silent = problems
    .filter(({ section }) => section === undefined)
    .map(({ source, problem }): Finding => ({ severity: 'critical', what: `${source} cannot be asked: ${problem}`, next: nextOf(problem), runbook: 'An instance or a task does not answer' }));
  // Of instances that were not asked, nobody knows what they use.
  const isHalfHeard = ({ name }: Section): boolean => name === 'unused-indexes' && problems.some(({ section }) => section === name);
  const found = sections.filter((section) => !isHalfHeard(section)).flatMap(({ name, rows }: Section) => (judges[name]?.(rows, limits) ?? []).map((finding): Finding => ({ ...finding, section: name })));
  return [...silent, ...found].sort((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity));
}
