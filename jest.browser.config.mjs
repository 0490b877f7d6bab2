import common from './jest.config.mjs';

/** Tests that need a browser: `npm run test:browser`. @type {import('jest').Config} */
export default {
  ...common,
  roots: ['<rootDir>/test/browser'],
  testPathIgnorePatterns: ['/node_modules/'],
  maxWorkers: 1,
  // A busy machine may need several minutes for all screens; no test says how fast it is.
  testTimeout: 600_000,
};
