import { serverProblem } from '../../../lib/tier/indexes/index-session';

const server = { standby: false, version: 170_010, versionText: '17.10', pid: 7 };

describe('serverProblem', () => {
  it.each([
    ['none on 14.4 and later', { version: 140_004 }, undefined],
    ['an older server', { version: 140_003, versionText: '14.3' }, 'the server runs PostgreSQL 14.3, whose concurrent builds are not safe; indexes are built on 14.4 and later'],
    ['a much older server', { version: 130_020, versionText: '13.20' }, 'the server runs PostgreSQL 13.20, whose concurrent builds are not safe; indexes are built on 14.4 and later'],
    ['a standby', { standby: true }, 'the endpoint is a replica; indexes are built on the primary, and replicas follow'],
    ['a pooler', { pid: 8 }, 'there is a pooler between; a build needs a session of its own: use the endpoint of the instance itself'],
  ])('%s', (_what, over, problem) => {
    expect(serverProblem({ ...server, ...over }, { pid: 7, inTransaction: false })).toBe(problem);
  });
});
