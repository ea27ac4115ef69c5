import config from './jest.config';

/** `npm run test:review`: the command itself in a checkout of its own, with whole synths; about a minute. */
export default { ...config, testMatch: ['<rootDir>/test/review-command/*.test.ts'], testPathIgnorePatterns: [], testTimeout: 600_000 };
