import config from './jest.config';

/** `npm run test:image`: needs a container engine, or root and apt to install one. */
export default { ...config, testMatch: ['<rootDir>/test/image/*.test.ts'], testPathIgnorePatterns: [] };
