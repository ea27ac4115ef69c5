import { isPassing } from '../../../lib/tier/indexes/passing-errors';

const errorOf = (code: string) => Object.assign(new Error('message of the server'), { code, severity: 'ERROR' });
const lost = (code: string | undefined, message: string) => Object.assign(new Error(message), { code });

describe('what passes by itself', () => {
  it.each([
    ['a failover', errorOf('57P01'), true],
    ['a server that starts up', errorOf('57P03'), true],
    ['DDL that holds the table', errorOf('55P03'), true],
    ['a connection that breaks', lost('ECONNRESET', 'read ECONNRESET'), true],
    ['a connection that ends', lost(undefined, 'Connection terminated unexpectedly'), true],
    ['an API of AWS that does not answer', Object.assign(new Error('no answer'), { name: 'TimeoutError' }), true],
    ['an API of AWS that has too much to do', Object.assign(new Error('Rate exceeded'), { name: 'ThrottlingException', $metadata: { httpStatusCode: 400 } }), true],
    ['an API of AWS that fails', Object.assign(new Error('internal'), { name: 'InternalFailure', $metadata: { httpStatusCode: 500 } }), true],
    ['a right that is missing in AWS', Object.assign(new Error('not authorized'), { name: 'AccessDeniedException', $metadata: { httpStatusCode: 400 } }), false],
    ['a deadlock', errorOf('40P01'), true],
    ['a server without memory or disk', errorOf('53100'), true],
    ['a limit that is set', errorOf('53400'), false],
    ['a wrong password', errorOf('28P01'), false],
    ['a mistake in the program', new TypeError('x is not a function'), false],
  ])('%s', (_what, error, expected) => {
    expect(isPassing(error)).toBe(expected);
  });
});
