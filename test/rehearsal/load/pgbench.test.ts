import { connectionEnvironment, parseSummary } from '../../../lib/rehearsal/load/pgbench';

describe('parseSummary', () => {
  it('reads what pgbench 17 prints', () => {
    const text = ['number of transactions actually processed: 1000/1000', 'number of failed transactions: 2 (0.200%)', 'latency average = 1.5 ms', 'tps = 1664.353 (without initial connection time)'];
    expect(parseSummary(text.join('\n'))).toEqual({ transactions: 1000, failed: 2, transactionsPerSecond: 1664.353 });
  });

  it('says which line is missing', () => {
    expect(() => parseSummary('number of transactions actually processed: 1\nnumber of failed transactions: 0')).toThrow('pgbench printed no line like ^tps = ([\\d.]+)');
  });
});

describe('connectionEnvironment', () => {
  it('spreads clients over the addresses and keeps the password off the command line', () => {
    const target = { addresses: ['127.0.0.1', '127.0.0.2'], port: 6432, database: 'd', user: 'u', password: 'p' };
    expect(connectionEnvironment(target)).toMatchObject({ PGHOSTADDR: '127.0.0.1,127.0.0.2', PGLOADBALANCEHOSTS: 'random', PGPASSWORD: 'p', PGSSLMODE: 'require' });
  });
});
