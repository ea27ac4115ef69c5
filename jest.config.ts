import { availableParallelism } from 'node:os';

import type { Config } from 'jest';

// Which Node.js it leaves next is no news to a test.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

const config: Config = {
  roots: ['<rootDir>/test'],
  testEnvironment: 'node',
  testMatch: ['**/*.test.ts'],
  // Have commands of their own: npm run test:application, test:broken, test:image, test:review, test:rotation.
  testPathIgnorePatterns: ['application/', 'broken/', 'image/', 'review-command/', 'review/prepared-changes', 'rotation/'].map((path) => `<rootDir>/test/${path}`),
  transform: { '^.+\\.ts$': '@swc/jest' },
  // ESM-only libraries are compiled like our own sources.
  transformIgnorePatterns: ['node_modules/(?!(@peculiar|ora)/)'],
  setupFilesAfterEnv: ['aws-cdk-lib/testhelpers/jest-autoclean'],
  // Ends what hangs. On a busy machine a whole rehearsal takes two minutes.
  testTimeout: 600_000,
  // One more than cores: most of them wait for servers, not for the processor.
  maxWorkers: availableParallelism() + 1,
};

export default config;
