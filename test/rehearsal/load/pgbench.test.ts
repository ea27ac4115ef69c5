import { FailedProgram } from '../../../lib/rehearsal/engines/child';
import { connectionEnvironment, parseSummary, readAborted } from '../../../lib/rehearsal/load/pgbench';

describe('parseSummary', () => {
  it('reads what pgbench 17 prints', () => {
    const text = ['number of transactions actually processed: 1000/1000', 'number of failed transactions: 2 (0.200%)', 'latency average = 1.5 ms', 'tps = 1664.353 (without initial connection time)'];
    expect(parseSummary(text.join('\n'))).toEqual({ transactions: 1000, failed: 2, transactionsPerSecond: 1664.353 });
  });

  it('says which line is missing', () => {
    expect(() => parseSummary('number of transactions actually processed: 1\nnumber of failed transactions: 0')).toThrow('pgbench printed no line like ^tps = ([\\d.]+)');
  });
});

describe('a load that pgbench gives up', () => {
  const failed = (stderr: string, stdout = '') => new FailedProgram('pgbench failed (exit code 2)', { code: 2, signal: null }, { stdout, stderr });

  it('is what it got done, with what the server said', () => {
    const summary = 'number of transactions actually processed: 7\nnumber of failed transactions: 0 (0.000%)\ntps = 3.5 (without initial connection time)';
    const stderr = 'pgbench: error: client 3 script 0 aborted in command 1 query 0: FATAL:  query_wait_timeout\nserver closed the connection unexpectedly';
    expect(readAborted(failed(stderr, summary))).toEqual({ transactions: 7, failed: 0, transactionsPerSecond: 3.5, aborted: 'query_wait_timeout' });
  });

  it('is nothing where no client was let in', () => {
    const stderr = 'pgbench: error: connection to server at "127.0.0.1", port 5432 failed: FATAL:  sorry, too many clients already\npgbench: error: could not create connection for client 494';
    expect(readAborted(failed(stderr))).toEqual({ transactions: 0, failed: 0, transactionsPerSecond: 0, aborted: 'sorry, too many clients already' });
  });

  it('is an error where the server said nothing', () => {
    const error = failed('pgbench: error: unrecognized option');
    expect(() => readAborted(error)).toThrow(error);
  });
});

describe('a load in which nothing was done', () => {
  it('has no rate', () => {
    expect(parseSummary('number of transactions actually processed: 0\nnumber of failed transactions: 0 (NaN%)')).toEqual({ transactions: 0, failed: 0, transactionsPerSecond: 0 });
  });
});

describe('connectionEnvironment', () => {
  it('spreads clients over the addresses and keeps the password off the command line', () => {
    const target = { addresses: ['127.0.0.1', '127.0.0.2'], port: 6432, database: 'd', user: 'u', password: 'p' };
    expect(connectionEnvironment(target)).toMatchObject({ PGHOSTADDR: '127.0.0.1,127.0.0.2', PGLOADBALANCEHOSTS: 'random', PGPASSWORD: 'p', PGSSLMODE: 'require' });
  });
});
