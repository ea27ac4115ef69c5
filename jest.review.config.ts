import config from './jest.config';

/** `npm run test:review`: prepared changes to the app, and the command itself in a checkout of its own; about two minutes. */
export default { ...config, testMatch: ['<rootDir>/test/review-command/*.test.ts', '<rootDir>/test/review/prepared-changes.test.ts'], testPathIgnorePatterns: [] };
