import config from './jest.config';

/** `npm run test:rotation`: each case is a rotation, and most replace every task. */
export default { ...config, testMatch: ['<rootDir>/test/rotation/*.test.ts'], testPathIgnorePatterns: [] };
