import config from './jest.config';

/** `npm run test:application`: the application kit's clients, one after another, on real servers. */
export default { ...config, testMatch: ['<rootDir>/test/application/*.test.ts'], testPathIgnorePatterns: [] };
