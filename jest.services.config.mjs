import base from './jest.config.mjs';

/**
 * `npm test` once more, on the Postgres and Redis of DATABASE_URL and REDIS_URL: the features that keep something there. What needs
 * no store, starts its own, or asks over HTTP what these ask has run on the embedded database.
 * @type {import('jest').Config}
 */
export default {
  ...base,
  roots: ['audit', 'database', 'e2e', 'environments', 'flags', 'segments', 'stream'].map(
    (folder) => `<rootDir>/test/${folder}`,
  ),
};
