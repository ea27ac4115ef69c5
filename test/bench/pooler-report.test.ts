import { explainDisturbance, isDisturbed } from '../../bench/other-programs';
import { reportPooler } from '../../bench/pooler-report';
import type { Figure, Run } from '../../bench/pooler-run';
import { renderSpread, spreadOf } from '../../bench/spread';

const protocols = ['simple', 'extended', 'prepared'];
const good = Object.fromEntries([
  ...protocols.flatMap((protocol) => [
    [`${protocol} direct /s`, 5000], [`${protocol} direct p50`, 5.5], [`${protocol} direct p99`, 22],
    [`${protocol} pooled /s`, 6000], [`${protocol} pooled p50`, 7.5], [`${protocol} pooled p99`, 17],
  ]),
  ['login direct ms', 11], ['login pooled ms', 2.2], ['few sessions /s', 6000], ['many sessions /s', 5400],
  ['thinking p50', 0.7], ['thinking p99', 25], ['memory with TLS', 17], ['memory without TLS', 7], ['reuse %', 99.97],
]) as Record<Figure, number>; // prettier-ignore

function run(change: Partial<Record<Figure, number>> = {}): Run {
  return { ...good, ...change };
}

describe('the report on the pooler', () => {
  it('gives the median and the spread of every figure', () => {
    const { text } = reportPooler([run({ 'prepared pooled /s': 5100 }), run({ 'prepared pooled /s': 7000 }), run()], 10_000, false);
    expect(text).toMatch(/100 clients, prepared: transactions\/s +│ 5,000 \(5,000–5,000\) │ 6,000 \(5,100–7,000\) │ 1\.20 \(1\.02–1\.40\)/);
    for (const figure of ['simple', 'extended', 'connect, login and SELECT 1, ms', '100 sessions without think time', '10,000 of them', '10,000 sessions with think time', 'with TLS', 'without TLS', 'connection reuse']) {
      expect(text).toContain(figure);
    }
  });

  it('reaches every goal, or says which is missed', () => {
    expect(reportPooler([run()], 10_000, false)).toMatchObject({ allReached: true });
    const missed: [Figure, number][] = [['simple pooled /s', 4999], ['extended pooled /s', 4999], ['prepared pooled /s', 4999], ['login pooled ms', 5.1], ['many sessions /s', 5000], ['memory without TLS', 10.1], ['reuse %', 99.8]];
    for (const [figure, value] of missed) {
      const { text, allReached } = reportPooler([run({ [figure]: value })], 10_000, false);
      expect({ figure, allReached, missed: text.includes('missed') }).toEqual({ figure, allReached: false, missed: true });
    }
  });

  it('calls unclear what other programs changed, and goes on judging memory and reuse', () => {
    const { text, allReached } = reportPooler([run({ 'login pooled ms': 9 })], 10_000, true);
    expect(allReached).toBe(false);
    expect(text).not.toContain('missed');
    expect(text.match(/unclear/g)).toHaveLength(6);
    expect(text.match(/reached/g)).toHaveLength(2);
  });
});

describe('other programs', () => {
  it('disturb from a tenth of the cores on', () => {
    expect([isDisturbed(9.9), isDisturbed(10.1)]).toEqual([false, true]);
    expect(explainDisturbance(42.2)).toContain("took 42 % of this machine's cores");
  });
});

describe('a spread', () => {
  it.each<[number[], string]>([
    [[0.98, 1.15, 1.071], '1.07 (0.98–1.15)'],
    [[99.9712], '99.97 (99.97–99.97)'],
    [[5123.4, 4900, 6000], '5,123 (4,900–6,000)'],
  ])('of %p reads %s', (values, text) => {
    expect(renderSpread(spreadOf(values))).toBe(text);
  });
});
