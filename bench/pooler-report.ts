import Table from 'cli-table3';

import { type Goal, goalVerdict, limitText } from './goals';
import { clients, type Figure, memoryClients, protocols, type Run, thinkingQueriesPerSecond } from './pooler-run';
import { renderSpread, type Spread, spreadOf } from './spread';

interface Row {
  readonly what: string;
  readonly direct?: Spread;
  readonly pooled: Spread;
  readonly ratio?: Spread;
  readonly goals?: readonly Goal[];
}

export interface PoolerReport {
  /** For a terminal. */
  readonly text: string;
  readonly allReached: boolean;
}

/** Every figure over the runs, its goals beside it. @param disturbed other programs ran */
export function reportPooler(runs: readonly Run[], sessions: number, disturbed: boolean): PoolerReport {
  const rows = rowsOf(runs, sessions.toLocaleString('en-US'));
  const verdict = (goal: Goal): string => goalVerdict(goal, disturbed);
  const table = new Table({ head: ['', 'direct', 'pooled', 'ratio', 'goal', 'verdict'], style: { head: [], border: [] } });
  for (const { what, direct, pooled, ratio, goals = [] } of rows) {
    const cell = (spread?: Spread): string => (spread ? renderSpread(spread) : '');
    table.push([what, cell(direct), cell(pooled), cell(ratio), goals.map(({ what: of, limit }) => `${of} ${limitText(limit)}`).join('\n'), goals.map(verdict).join('\n')]);
  }
  return { text: table.toString(), allReached: rows.flatMap(({ goals = [] }) => goals).every((goal) => verdict(goal) === 'reached') };
}

function rowsOf(runs: readonly Run[], sessions: string): readonly Row[] {
  const of = (figure: Figure): Spread => spreadOf(runs.map((run) => run[figure]));
  /** Of each run, then over them: what slows a whole run down slows both sides. */
  const ratio = (above: Figure, below: Figure): Spread => spreadOf(runs.map((run) => run[above] / run[below]));
  const goal = (what: string, { median: measured }: Spread, limit: Goal['limit'], isTimed = true): Goal => ({ what, measured, limit, isTimed });

  const throughput = protocols.flatMap((protocol): readonly Row[] => {
    const side = (figure: '/s' | 'p50' | 'p99') => ({
      direct: of(`${protocol} direct ${figure}`),
      pooled: of(`${protocol} pooled ${figure}`),
      ratio: ratio(`${protocol} pooled ${figure}`, `${protocol} direct ${figure}`),
    });
    const rate = side('/s');
    return [
      { what: `${clients} clients, ${protocol}: transactions/s`, ...rate, goals: [goal('ratio', rate.ratio, { least: 1 })] },
      { what: '  p50, ms', ...side('p50') },
      { what: '  p99, ms', ...side('p99') },
    ];
  });
  const login = { direct: of('login direct ms'), pooled: of('login pooled ms'), ratio: ratio('login pooled ms', 'login direct ms') };
  const manyToFew = ratio('many sessions /s', 'few sessions /s');
  const [withTls, withoutTls] = [of('memory with TLS'), of('memory without TLS')];
  return [
    ...throughput,
    { what: 'connect, login and SELECT 1, ms', ...login, goals: [goal('ratio', login.ratio, { most: 0.3 }), goal('pooled', login.pooled, { most: 5 })] },
    { what: `${clients} sessions without think time: transactions/s`, pooled: of('few sessions /s') },
    { what: `${sessions} of them`, pooled: of('many sessions /s'), ratio: manyToFew, goals: [goal(`of ${clients}`, manyToFew, { least: 0.85 })] },
    { what: `${sessions} sessions with think time, ${thinkingQueriesPerSecond} queries/s: p50, ms`, pooled: of('thinking p50') },
    { what: '  p99, ms', pooled: of('thinking p99') },
    { what: `MB for 1,000 clients, of ${memoryClients}, with TLS`, pooled: withTls },
    { what: '  without TLS', pooled: withoutTls, goals: [goal('pooled', withoutTls, { most: 10 }, false)] },
    { what: 'connection reuse, %', pooled: of('reuse %'), goals: [goal('pooled', of('reuse %'), { least: 99.9 }, false)] },
  ];
}
