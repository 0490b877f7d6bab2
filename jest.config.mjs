/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  // They need a browser: jest.browser.config.mjs.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/browser/'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': ['ts-jest', { useESM: true, tsconfig: '<rootDir>/tsconfig.json' }] },
  injectGlobals: false,
  cacheDirectory: '<rootDir>/.cache/jest',
  setupFilesAfterEnv: ['<rootDir>/test/support/retries.ts'],
  testTimeout: 120_000,
  // Many tests wait for a process, a store or a clock.
  maxWorkers: 3,
  // Modules of tests that ran are never given back (ES modules in vm contexts): a worker would grow to gigabytes, and slow down.
  workerIdleMemoryLimit: '1GB',
};
