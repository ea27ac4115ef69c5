import config from './jest.config';

/** `npm run test:broken`: a template broken on purpose for each case, and rehearsed; some minutes. */
export default { ...config, testMatch: ['<rootDir>/test/broken/*.test.ts'], testPathIgnorePatterns: [], maxWorkers: 1 };
